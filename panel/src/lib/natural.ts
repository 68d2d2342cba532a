// "agent-2" before "agent-10". One collator for all: making one per comparison costs more than all the rest of a sort.
const collator = new Intl.Collator('en', { numeric: true })

export function natural(a: string, b: string): number {
  return collator.compare(a, b)
}
