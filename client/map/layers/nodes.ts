/**
 * The devices: one signed-distance shape per mark (diamond, triangle, disc, hollow ring, square, small disc), sized by
 * role and zoom, with a soft halo around trouble and a ring around the selection. Antialiased in the shader.
 */
import { PulledLayer, SHADER_HEAD } from "#client/map/layers/pulled-layer.ts"

const VERTEX = `${SHADER_HEAD}
out vec2 vPixel;
flat out vec3 vColor;
flat out uint vMark;
flat out float vRadius;
flat out float vSelected;
void main() {
  int slot = gl_VertexID >> 2;
  int corner = gl_VertexID & 3;
  ivec2 texel = ivec2(slot & 255, slot >> 8);
  uvec4 state = texelFetch(states, texel, 0);
  uint mark = state.z & 15u;
  vColor = alive(mix(markColor(state.z >> 4), markColor(mark), faded(state)));
  vMark = mark;
  vSelected = float((state.w >> 5) & SELECTED);
  float grow = clamp(0.72 + (twin.zoom - 3.5) * 0.085, 0.7, 1.5);
  float quiet = (state.x == 0u ? 4.6 : state.x == 1u ? 4.0 : state.x == 2u ? 3.4 : 2.9) * grow;
  vRadius = mark < 3u ? max(6.2, quiet * 1.5) : mark == 4u ? quiet * 1.15 : quiet;
  float reach = max(mark < 3u ? vRadius * 2.6 : vRadius + 2.5, vSelected * (vRadius + 9.0));
  vPixel = (vec2(float(corner & 1), float(corner >> 1)) * 2.0 - 1.0) * reach;
  vec4 clip = twin.matrix * vec4(texelFetch(places, texel, 0).xy, 0.0, 1.0);
  gl_Position = clip + vec4(vPixel * 2.0 / twin.viewport * clip.w, 0.0, 0.0);
}`

const FRAGMENT = `${SHADER_HEAD}
in vec2 vPixel;
flat in vec3 vColor;
flat in uint vMark;
flat in float vRadius;
flat in float vSelected;
out vec4 fragColor;
float triangle(vec2 p, float r) {
  const float k = 1.7320508;
  p.y += r * 0.2;
  p.x = abs(p.x) - r;
  p.y = p.y + r / k;
  if (p.x + k * p.y > 0.0) p = vec2(p.x - k * p.y, -k * p.x - p.y) / 2.0;
  p.x -= clamp(p.x, -2.0 * r, 0.0);
  return -length(p) * sign(p.y);
}
float shape(vec2 p, float r) {
  if (vMark == 0u) return (abs(p.x) + abs(p.y) - r * 1.12) * 0.7071;
  if (vMark == 1u) return triangle(p, r * 1.02);
  if (vMark == 3u) return abs(length(p) - r) - 0.9;
  if (vMark == 4u) return max(abs(p.x), abs(p.y)) - r * 0.9;
  return length(p) - r;
}
void main() {
  float distance = shape(vPixel, vRadius);
  vec3 edge = texelFetch(palette, ivec2(6, 1), 0).rgb;
  float ink = clamp(0.5 - distance, 0.0, 1.0);
  float rim = clamp(1.7 - distance, 0.0, 1.0) * (vMark == 3u ? 0.75 : 0.9);
  float far = length(vPixel) / (vRadius * 2.6);
  float halo = vMark < 3u ? 0.42 * pow(max(0.0, 1.0 - far), 1.6) * (1.0 - twin.grey) : 0.0;
  vec3 color = mix(edge, vColor, ink);
  float alpha = max(ink, rim);
  color = mix(vColor, color, clamp(alpha / max(alpha + halo, 0.001), 0.0, 1.0));
  alpha = alpha + halo * (1.0 - alpha);
  if (vSelected > 0.5) {
    float ring = clamp(1.6 - abs(length(vPixel) - vRadius - 5.5), 0.0, 1.0);
    color = mix(color, texelFetch(palette, ivec2(7, 1), 0).rgb, ring);
    alpha = max(alpha, ring);
  }
  if (alpha < 0.01) discard;
  fragColor = vec4(color, alpha);
}`

export class NodesLayer extends PulledLayer {
  static override layerName = "NodesLayer"
  protected override shaders() {
    return { vs: VERTEX, fs: FRAGMENT }
  }
}
