// The map as files. Loaded when somebody saves one.
import type { MapRenderer } from '@/map/renderer'
import type { Topology } from '@/map/types'
import { saveBlob } from '@/lib/save'
import { paintOverlay } from '@/map/overlay'
import { paintScene } from '@/map/paint'
import { SvgPen } from '@/map/pen'

export type MapFormat = 'png' | 'svg' | 'json'

/** The network as it was told, and where its nodes are drawn. */
export function mapJson(topology: Topology, renderer: MapRenderer): string {
  const scene = renderer.current
  const drawn = scene?.view.nodes.map((node, i) => ({ key: node.key, kind: node.kind, x: scene.positions[i * 2], y: scene.positions[i * 2 + 1], ...scene.pinned?.[i] === 1 ? { pinned: true } : {} })) ?? []
  return JSON.stringify({ ...topology, layout: scene?.layout, drawn }, null, 1)
}

/** What is on the page as text. */
export function mapSvg(renderer: MapRenderer): string {
  const { current: scene, pointed } = renderer
  const pen = new SvgPen()
  if (scene) {
    paintScene(pen, scene)
    if (pointed)
      paintOverlay(pen, scene, pointed)
  }
  return pen.toSvg(scene?.width ?? 0, scene?.height ?? 0)
}

export async function saveMap(renderer: MapRenderer, topology: Topology, format: MapFormat, name: string): Promise<void> {
  const file = `${name}.${format}`
  if (format === 'json')
    return saveBlob(new Blob([mapJson(topology, renderer)], { type: 'application/json' }), file)
  if (format === 'svg')
    return saveBlob(new Blob([mapSvg(renderer)], { type: 'image/svg+xml' }), file)
  const blob = await new Promise<Blob | null>(done => renderer.toCanvas().toBlob(done, 'image/png'))
  if (!blob)
    throw new Error('The browser made no picture')
  saveBlob(blob, file)
}
