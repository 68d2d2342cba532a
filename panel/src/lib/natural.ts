// "agent-2" before "agent-10". One collator for all: making one per comparison costs more than all the rest of a sort.
const collator = new Intl.Collator('en', { numeric: true })

export function natural(a: string, b: string): number {
  return collator.compare(a, b)
}

const KEYS_MAX = 50_000
const DIGITS = 12
const keys = new Map<string, string>()

/** A text whose plain order is the natural one: without case and marks, numbers of one width. Ten thousand names are
 *  sorted by such keys in a tenth of the time that a collator takes. */
export function naturalKey(text: string): string {
  const known = keys.get(text)
  if (known !== undefined)
    return known
  if (keys.size >= KEYS_MAX)
    keys.clear()
  const key = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/\d+/g, digits => digits.replace(/^0+(?=\d)/, '').padStart(DIGITS, '0'))
  keys.set(text, key)
  return key
}

export function byNaturalKey(a: string, b: string): number {
  const [x, y] = [naturalKey(a), naturalKey(b)]
  return x < y ? -1 : x > y ? 1 : 0
}
