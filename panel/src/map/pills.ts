// Groups and folded runs: a pill with a name and how many are in it.
import type { Pen } from './pen'
import type { Pill, Scene } from './scene'
import type { ViewNode } from './view'
import { severity } from '@/lib/grade'
import { gradeMark } from './shapes'
import { isTrouble } from './view'

export function paintPill(pen: Pen, scene: Scene, node: ViewNode, pill: Pill): void {
  const { look } = scene
  const trouble = isTrouble(node.grade)
  pen.beginPath()
  pen.roundRect(pill.x, pill.y, pill.w, pill.h, node.of === 'hop' ? pill.h / 2 : 4)
  pen.fillStyle = node.kind === 'run' ? look.surface : look.raised
  pen.fill()
  pen.strokeStyle = trouble ? look.grades[severity(node.grade)] ?? look.quiet : look.quiet
  // The more of its members are in trouble, the heavier.
  pen.lineWidth = trouble ? 1.2 + 2 * Math.sqrt(node.trouble / node.members.length) : 1.2
  pen.setLineDash(node.kind === 'run' && !trouble ? [3, 2] : [])
  pen.stroke()
  pen.setLineDash([])
  pen.textBaseline = 'middle'
  pen.textAlign = pill.count === '' || pill.label === '' ? 'center' : 'left'
  pen.font = '11px "Inter Variable", Inter, sans-serif'
  const y = pill.y + pill.h / 2 + 0.5
  pen.fillStyle = look.text
  if (pill.label !== '')
    pen.fillText(pill.label, pen.textAlign === 'center' ? pill.x + pill.w / 2 : pill.x + 7, y, pill.w - 12)
  if (pill.count !== '') {
    pen.fillStyle = look.muted
    pen.textAlign = pill.label === '' ? 'center' : 'right'
    pen.fillText(pill.count, pill.label === '' ? pill.x + pill.w / 2 : pill.x + pill.w - 7, y)
  }
  if (trouble)
    gradeMark(pen, look, node.grade, pill.x + pill.w - 4, pill.y + 2, 4)
  if (pill.below !== '') {
    pen.font = '10px "JetBrains Mono Variable", monospace'
    pen.fillStyle = look.muted
    pen.textAlign = 'center'
    pen.fillText(pill.below, pill.x + pill.w / 2, pill.y + pill.h + 8)
  }
}
