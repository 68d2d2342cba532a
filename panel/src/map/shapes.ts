// Outlines of nodes. The kind of a node has a shape, and so has its grade: colour never stands alone.
import type { Pen } from './pen'
import type { MapLook } from './scene'
import type { Grade } from './types'
import type { ViewNode } from './view'
import { severity } from '@/lib/grade'

const TURN = 2 * Math.PI

export function agentShape(pen: Pen, x: number, y: number, r: number): void {
  const q = r * 1.5
  pen.rect(x - q, y - q, 2 * q, 2 * q)
}

export function targetShape(pen: Pen, x: number, y: number, r: number): void {
  const q = r * 1.9
  pen.moveTo(x, y - q)
  pen.lineTo(x + q, y)
  pen.lineTo(x, y + q)
  pen.lineTo(x - q, y)
  pen.closePath()
}

export function disc(pen: Pen, x: number, y: number, r: number): void {
  pen.moveTo(x + r, y)
  pen.arc(x, y, r, 0, TURN)
}

function triangle(pen: Pen, x: number, y: number, r: number): void {
  const q = r * 1.5
  pen.moveTo(x, y - q)
  pen.lineTo(x + q, y + q * 0.8)
  pen.lineTo(x - q, y + q * 0.8)
  pen.closePath()
}

function octagon(pen: Pen, x: number, y: number, r: number): void {
  const q = r * 1.45
  const c = q * 0.42
  const points = [[-c, -q], [c, -q], [q, -c], [q, c], [c, q], [-c, q], [-q, c], [-q, -c]] as const
  points.forEach(([dx, dy], i) => i === 0 ? pen.moveTo(x + dx, y + dy) : pen.lineTo(x + dx, y + dy))
  pen.closePath()
}

/** The shape of a grade: disc, disc with a hollow half (drawn on top), triangle, octagon (its cross drawn on top). */
export function gradeShape(pen: Pen, grade: Grade, x: number, y: number, r: number): void {
  if (grade === 'critical')
    octagon(pen, x, y, r)
  else if (grade === 'poor')
    triangle(pen, x, y, r)
  else
    disc(pen, x, y, grade === 'fair' ? r * 1.25 : r)
}

export function nodeShape(pen: Pen, node: ViewNode, x: number, y: number, r: number): void {
  if (node.of === 'agent')
    agentShape(pen, x, y, r)
  else if (node.of === 'target')
    targetShape(pen, x, y, r)
  else
    gradeShape(pen, node.grade, x, y, r)
}

/** What lies on top of a grade's shape: the hollow half of "fair", the cross of "critical". */
export function gradeInside(pen: Pen, grade: Grade, x: number, y: number, r: number, ground: string): void {
  if (grade === 'fair') {
    pen.beginPath()
    // The half to the right, as in the marks of the panel.
    const q = r * 0.75
    pen.moveTo(x, y - q)
    pen.bezierCurveTo(x + q * 1.33, y - q, x + q * 1.33, y + q, x, y + q)
    pen.closePath()
    pen.fillStyle = ground
    pen.fill()
  }
  else if (grade === 'critical') {
    const q = r * 0.6
    pen.beginPath()
    pen.moveTo(x - q, y - q)
    pen.lineTo(x + q, y + q)
    pen.moveTo(x + q, y - q)
    pen.lineTo(x - q, y + q)
    pen.strokeStyle = ground
    pen.lineWidth = Math.max(1, r * 0.3)
    pen.stroke()
  }
}

/** The mark of a grade beside something whose own shape says what it is. */
export function gradeMark(pen: Pen, look: MapLook, grade: Grade, x: number, y: number, r: number): void {
  pen.beginPath()
  disc(pen, x, y, r * 1.9)
  pen.fillStyle = look.surface
  pen.fill()
  pen.beginPath()
  gradeShape(pen, grade, x, y, r)
  pen.fillStyle = look.grades[severity(grade)] ?? look.quiet
  pen.fill()
  gradeInside(pen, grade, x, y, r * 1.25, look.surface)
}

/** A pin, with its point at (x, y): somebody has put the node there. */
export function pinMark(pen: Pen, look: MapLook, x: number, y: number): void {
  pen.beginPath()
  pen.moveTo(x, y)
  pen.lineTo(x - 3.4, y - 4.6)
  pen.strokeStyle = look.text
  pen.lineWidth = 1.2
  pen.stroke()
  pen.beginPath()
  disc(pen, x - 4.6, y - 6.2, 3)
  pen.fillStyle = look.accent
  pen.fill()
  pen.strokeStyle = look.surface
  pen.lineWidth = 1
  pen.stroke()
}
