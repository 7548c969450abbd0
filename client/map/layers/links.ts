/**
 * The links, as a weather map draws them: each half shows the load that leaves its own end, on a ramp of lightness and
 * hue; a broken link is dashed in its mark's colour. Width grows with importance and load. Where motion is wanted,
 * light runs from each end to the middle, faster with load.
 */
import { PulledLayer, SHADER_HEAD } from "#client/map/layers/pulled-layer.ts"

const VERTEX = `${SHADER_HEAD}
out float vAlong;
out float vLength;
out float vSide;
flat out float vHalf;
flat out vec3 vMarkColor;
flat out vec2 vLoad;
flat out vec4 vKind;
void main() {
  int slot = gl_VertexID >> 2;
  int corner = gl_VertexID & 3;
  ivec2 texel = ivec2(slot & 255, slot >> 8);
  uvec4 state = texelFetch(states, texel, 0);
  vec4 ends = texelFetch(places, texel, 0);
  uint mark = state.z & 15u;
  uint flags = state.w >> 5;
  vLoad = vec2(state.xy);
  vMarkColor = mix(markColor(state.z >> 4), markColor(mark), faded(state));
  float trouble = mark < 3u ? 1.0 : 0.0;
  float broken = (flags & BROKEN) != 0u ? 1.0 : 0.0;
  float chosen = (flags & SELECTED) != 0u ? 1.0 : 0.0;
  vKind = vec4(trouble, broken, chosen, mark == 3u || mark == 4u ? 1.0 : 0.0);
  vec2 known = vec2(state.x == 255u ? 0.0 : vLoad.x, state.y == 255u ? 0.0 : vLoad.y);
  float load = clamp(max(known.x, known.y) / 200.0, 0.0, 1.0);
  float grow = clamp(0.62 + (twin.zoom - 3.0) * 0.1, 0.6, 1.6);
  float width = ((flags & MAJOR) != 0u ? 2.1 : 1.35) * grow + load * 1.1;
  width = max(width, trouble * 2.2 + broken * 0.4);
  vHalf = width * 0.5 + chosen * 2.6;
  vec4 a = twin.matrix * vec4(ends.xy, 0.0, 1.0);
  vec4 b = twin.matrix * vec4(ends.zw, 0.0, 1.0);
  vec2 pa = a.xy / a.w * twin.viewport * 0.5;
  vec2 pb = b.xy / b.w * twin.viewport * 0.5;
  vLength = max(length(pb - pa), 0.001);
  vec2 along = (pb - pa) / vLength;
  float side = float(corner & 1) * 2.0 - 1.0;
  float end = float(corner >> 1);
  vSide = side * (vHalf + 1.0);
  vAlong = end * vLength;
  vec4 clip = mix(a, b, end);
  vec2 shift = vec2(-along.y, along.x) * vSide;
  gl_Position = clip + vec4(shift * 2.0 / twin.viewport * clip.w, 0.0, 0.0);
}`

const FRAGMENT = `${SHADER_HEAD}
in float vAlong;
in float vLength;
in float vSide;
flat in float vHalf;
flat in vec3 vMarkColor;
flat in vec2 vLoad;
flat in vec4 vKind;
out vec4 fragColor;
vec4 loadColor(float load) {
  vec3 color = texelFetch(palette, ivec2(int(load), 0), 0).rgb;
  float alpha = load > 254.5 ? 0.4 : mix(0.62, 0.98, smoothstep(0.0, 140.0, load));
  return vec4(color, alpha);
}
void main() {
  float half_ = smoothstep(-0.06, 0.06, vAlong / vLength - 0.5);
  vec4 color = mix(loadColor(vLoad.x), loadColor(vLoad.y), half_);
  if (vKind.w > 0.5) color = vec4(mix(color.rgb, vMarkColor, 0.6), 0.6);
  if (vKind.x > 0.5) color = vec4(vMarkColor, 1.0);
  float ink = clamp(vHalf + 0.5 - abs(vSide), 0.0, 1.0);
  if (vKind.y > 0.5) {
    float along = mod(vAlong, 9.0);
    ink *= clamp(min(along, 6.0 - along) + 0.5, 0.0, 1.0);
  } else if (twin.flow > 0.0 && vKind.x < 0.5) {
    float own = half_ < 0.5 ? vAlong : vLength - vAlong;
    float load = half_ < 0.5 ? vLoad.x : vLoad.y;
    float speed = load > 254.5 ? 0.0 : 10.0 + load * 0.25;
    float phase = fract((own - twin.time * speed) / 34.0);
    float light = load > 254.5 || load < 1.0 ? 0.0 : smoothstep(0.72, 0.97, phase) * step(phase, 0.985);
    color = mix(color, vec4(color.rgb * 1.25 + 0.2, 1.0), light * 0.7 * twin.flow);
  }
  vec3 tone = alive(color.rgb);
  float alpha = color.a * ink;
  if (vKind.z > 0.5) {
    // The selection is a pale casing; the link itself keeps its colours and dashes inside it.
    float core = alpha * clamp(vHalf - 1.1 - abs(vSide), 0.0, 1.0);
    float casing = 0.5 * clamp(vHalf + 0.5 - abs(vSide), 0.0, 1.0);
    tone = mix(texelFetch(palette, ivec2(7, 1), 0).rgb, tone, core);
    alpha = max(core, casing);
  }
  if (alpha < 0.01) discard;
  fragColor = vec4(tone, alpha);
}`

export class LinksLayer extends PulledLayer {
  static override layerName = "LinksLayer"
  protected override shaders() {
    return { vs: VERTEX, fs: FRAGMENT }
  }
}
