/**
 * A deck layer that draws by vertex pulling: no per-instance attributes, only an index buffer of what is visible; the
 * vertex shader fetches place and state from textures by gl_VertexID (slot * 4 + corner). Measured on software GL:
 * 103 ms a frame for 50,000 lines where instanced quads need 717. One Figure is mutated by the map and read at each
 * draw, so a state change never goes through deck's prop diffing.
 */
import { Layer } from "@deck.gl/core"
import type { UpdateParameters, Viewport } from "@deck.gl/core"
import { Buffer, Texture } from "@luma.gl/core"
import type { Device, RenderPass } from "@luma.gl/core"
import { Model } from "@luma.gl/engine"
import { FLAG_BROKEN, FLAG_MAJOR, FLAG_SELECTED, settle, TICK_MS, tickOf, TICKS, WIDTH } from "#client/map/texels.ts"
import type { Texels } from "#client/map/texels.ts"

/** What a layer draws; the map writes it, the layer reads it. */
export interface Figure {
  texels: Texels
  /** Four floats per slot, relative to `origin`, common space; as many rows as the texels. */
  places: Float32Array
  /** Common space. Near the network, so that 32-bit floats stay exact to a tenth of a pixel. */
  origin: readonly [number, number]
  /** Slots in drawing order. */
  visible: Uint32Array
  /** 256 x 2 RGBA: row 0 the load ramp (half percents, 255 = unknown), row 1 the marks, then outline and selection. */
  palette: Uint8Array
  /** Milliseconds; drives fades and flow. The same clock as the texels' ticks. */
  readonly clock: () => number
  /** 0 = still, 1 = moving light on links. */
  readonly flow: () => number
  /** 0 = alive, 1 = stale picture: colours go grey. */
  grey: number
}

/** 32-bit floats keep the phase of the light exact to a millisecond only for so long. */
const TIME_WRAP_S = 3_600

const MODULE = {
  name: "twin",
  uniformTypes: {
    matrix: "mat4x4<f32>",
    viewport: "vec2<f32>",
    zoom: "f32",
    tick: "f32",
    time: "f32",
    flow: "f32",
    grey: "f32",
  },
} as const

/** luma checks the block line by line: one field per line. */
export const SHADER_HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D states;
uniform sampler2D places;
uniform sampler2D palette;
layout(std140) uniform twinUniforms {
  mat4 matrix;
  vec2 viewport;
  float zoom;
  float tick;
  float time;
  float flow;
  float grey;
} twin;
const uint SELECTED = ${FLAG_SELECTED}u;
const uint BROKEN = ${FLAG_BROKEN}u;
const uint MAJOR = ${FLAG_MAJOR}u;
vec3 markColor(uint mark) { return texelFetch(palette, ivec2(int(mark), 1), 0).rgb; }
vec3 alive(vec3 color) { return mix(color, vec3(dot(color, vec3(0.3, 0.55, 0.15))), twin.grey * 0.85); }
float faded(uvec4 state) {
  float age = mod(twin.tick - float(state.w & 31u) + 32.0, 32.0) * 0.1;
  return smoothstep(0.0, 0.7, age);
}
`

type PulledProps = { figure: Figure }

interface Resources {
  model: Model
  device: Device
  texels: Texels
  places: Float32Array
  palette: Uint8Array
  visible: Uint32Array | null
  textures: { states: Texture; places: Texture; palette: Texture }
  indices: Buffer | null
}

export abstract class PulledLayer extends Layer<PulledProps> {
  static override layerName = "PulledLayer"
  protected abstract shaders(): { vs: string; fs: string }

  override initializeState(): void {
    const { device } = this.context
    const { figure } = this.props
    const textures = makeTextures(device, figure)
    const model = new Model(device, {
      id: this.props.id,
      ...this.shaders(),
      modules: [MODULE],
      topology: "triangle-list",
      bindings: textures,
      disableWarnings: true,
      parameters: {
        depthWriteEnabled: false,
        depthCompare: "always",
        blend: true,
        blendColorSrcFactor: "src-alpha",
        blendColorDstFactor: "one-minus-src-alpha",
        blendAlphaSrcFactor: "one",
        blendAlphaDstFactor: "one-minus-src-alpha",
      },
    })
    const { texels, places, palette } = figure
    const resources: Resources = { model, device, texels, places, palette, visible: null, textures, indices: null }
    this.setState({ resources, model })
  }

  override shouldUpdateState(params: UpdateParameters<this>): boolean {
    return params.changeFlags.propsOrDataChanged === true
  }

  override finalizeState(): void {
    const { model, textures, indices } = this.resources()
    model.destroy()
    for (const texture of Object.values(textures)) texture.destroy()
    indices?.destroy()
  }

  override draw({ renderPass }: { renderPass: RenderPass }): void {
    const { figure } = this.props
    const resources = this.resources()
    const nowMs = figure.clock()
    refresh(resources, figure, nowMs)
    if (figure.visible.length === 0) return
    const { viewport } = this.context
    resources.model.shaderInputs.setProps({
      twin: {
        matrix: matrixAt(viewport, figure.origin),
        viewport: [viewport.width, viewport.height],
        zoom: viewport.zoom,
        tick: (nowMs / TICK_MS) % TICKS,
        time: (nowMs / 1_000) % TIME_WRAP_S,
        flow: figure.flow(),
        grey: figure.grey,
      },
    })
    resources.model.draw(renderPass)
  }

  private resources(): Resources {
    return this.state["resources"] as Resources
  }
}

/** View-projection times a move to the origin, multiplied in doubles. */
const matrixAt = (viewport: Viewport, [x, y]: readonly [number, number]): number[] => {
  const m = viewport.viewProjectionMatrix as number[]
  const moved = [...m]
  for (let row = 0; row < 4; row++) {
    moved[12 + row] = (m[row] as number) * x + (m[4 + row] as number) * y + (m[12 + row] as number)
  }
  return moved
}

const makeTextures = (device: Device, figure: Figure): Resources["textures"] => {
  const sampler = { minFilter: "nearest", magFilter: "nearest" } as const
  const { height } = figure.texels
  const usage = Texture.SAMPLE | Texture.COPY_DST
  const make = (format: "rgba8uint" | "rgba32float" | "rgba8unorm", rows: number) =>
    device.createTexture({ format, width: WIDTH, height: rows, usage, sampler })
  const textures = {
    states: make("rgba8uint", height),
    places: make("rgba32float", height),
    palette: make("rgba8unorm", 2),
  }
  rawPixels(device)
  textures.states.writeData(figure.texels.bytes, { width: WIDTH, height })
  textures.places.writeData(figure.places, { width: WIDTH, height })
  textures.palette.writeData(figure.palette, { width: WIDTH, height: 2 })
  figure.texels.dirty = null
  return textures
}

/** Brings GPU memory up to what the figure says, by dirty rows. */
const refresh = (resources: Resources, figure: Figure, nowMs: number): void => {
  const { device, model } = resources
  if (resources.texels !== figure.texels || resources.places !== figure.places) {
    for (const texture of Object.values(resources.textures)) texture.destroy()
    resources.textures = makeTextures(device, figure)
    Object.assign(resources, { texels: figure.texels, places: figure.places, palette: figure.palette })
    model.setBindings(resources.textures)
  }
  settle(figure.texels, tickOf(nowMs))
  const { dirty } = figure.texels
  if (dirty !== null) {
    const rows = dirty.last - dirty.first + 1
    const bytes = figure.texels.bytes.subarray(dirty.first * WIDTH * 4, (dirty.last + 1) * WIDTH * 4)
    rawPixels(device)
    resources.textures.states.writeData(bytes, { y: dirty.first, width: WIDTH, height: rows })
    figure.texels.dirty = null
  }
  if (resources.palette !== figure.palette) {
    rawPixels(device)
    resources.textures.palette.writeData(figure.palette, { width: WIDTH, height: 2 })
    resources.palette = figure.palette
  }
  if (resources.visible !== figure.visible) {
    resources.indices?.destroy()
    resources.visible = figure.visible
    resources.indices = device.createBuffer({ usage: Buffer.INDEX, indexType: "uint32", data: quads(figure.visible) })
    model.setIndexBuffer(resources.indices)
    model.setIndexCount(figure.visible.length * 6)
  }
}

/** MapLibre leaves its own unpack settings on the shared context; bytes of state must arrive as they are. */
const rawPixels = (device: Device): void => {
  const { gl } = device as unknown as { gl: WebGL2RenderingContext }
  gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false)
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false)
}

const CORNERS = [0, 1, 2, 2, 1, 3]
const quads = (slots: Uint32Array): Uint32Array => {
  const indices = new Uint32Array(slots.length * 6)
  slots.forEach((slot, index) => CORNERS.forEach((corner, at) => (indices[index * 6 + at] = slot * 4 + corner)))
  return indices
}
