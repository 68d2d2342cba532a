// Scorer of the command palette: letters in order, with a bonus for the beginnings of words and for runs.

/** 0 when it does not match; the higher the better. */
export function fuzzyScore(query: string, text: string): number {
  const needle = query.trim().toLowerCase()
  const hay = text.toLowerCase()
  if (needle === '')
    return 1
  const direct = hay.indexOf(needle)
  if (direct >= 0)
    return 1000 - direct + (direct === 0 || boundary(hay, direct) ? 500 : 0) - hay.length / 1000
  let score = 0
  let from = 0
  let last = -2
  for (const letter of needle) {
    if (letter === ' ')
      continue
    const at = hay.indexOf(letter, from)
    if (at < 0)
      return 0
    score += at === last + 1 ? 8 : boundary(hay, at) ? 6 : 1
    last = at
    from = at + 1
  }
  return score - hay.length / 1000
}

function boundary(text: string, at: number): boolean {
  return at === 0 || /[\s\-_./:→]/.test(text[at - 1] ?? '')
}

export function fuzzySort<T>(query: string, items: readonly T[], text: (item: T) => string, limit: number): T[] {
  return items
    .map((item, index) => ({ item, index, score: fuzzyScore(query, text(item)) }))
    .filter(entry => entry.score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, limit)
    .map(entry => entry.item)
}
