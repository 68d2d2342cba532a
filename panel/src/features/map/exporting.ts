// The map as files.
import type { MapRenderer } from '@/map/renderer'
import type { Topology } from '@/map/types'
import { saveBlob } from '@/lib/save'

export type MapFormat = 'png' | 'svg' | 'json'

/** The network as it was told, and where its nodes are drawn. */
export function mapJson(topology: Topology, renderer: MapRenderer): string {
  const scene = renderer.current
  const drawn = scene?.view.nodes.map((node, i) => ({ key: node.key, kind: node.kind, x: scene.positions[i * 2], y: scene.positions[i * 2 + 1] })) ?? []
  return JSON.stringify({ ...topology, layout: scene?.layout, drawn }, null, 1)
}

export async function saveMap(renderer: MapRenderer, topology: Topology, format: MapFormat, name: string): Promise<void> {
  const file = `${name}.${format}`
  if (format === 'json')
    return saveBlob(new Blob([mapJson(topology, renderer)], { type: 'application/json' }), file)
  if (format === 'svg')
    return saveBlob(new Blob([renderer.toSvg()], { type: 'image/svg+xml' }), file)
  const blob = await new Promise<Blob | null>(done => renderer.toCanvas().toBlob(done, 'image/png'))
  if (!blob)
    throw new Error('The browser made no picture')
  saveBlob(blob, file)
}
