// Addresses and prefixes, of both families, as bytes: to group hops by network and to find what lies in one.

/** 4 or 16 bytes, or null when the text is no address. */
export function parseAddress(text: string): Uint8Array | null {
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

function parseV4(text: string): Uint8Array | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every(part => /^\d{1,3}$/.test(part) && Number(part) <= 255))
    return null
  return Uint8Array.from(parts, Number)
}

/** RFC 4291, section 2.2, all three forms; a zone ("%eth0") is not part of the address. */
function parseV6(text: string): Uint8Array | null {
  const [plain = ''] = text.split('%')
  const halves = plain.split('::')
  if (halves.length > 2)
    return null
  const groups: (number[] | null)[] = halves.map(half => half === '' ? [] : wordsOf(half))
  const [head, tail] = groups
  if (!head || (halves.length === 2 && !tail))
    return null
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (halves.length === 1 ? missing !== 0 : missing < 1)
    return null
  const words = [...head, ...Array.from({ length: missing }, () => 0), ...(tail ?? [])]
  return Uint8Array.from(words.flatMap(word => [word >> 8, word & 255]))
}

function wordsOf(half: string): number[] | null {
  const parts = half.split(':')
  const last = parts.at(-1) ?? ''
  const four = last.includes('.') ? parseV4(last) : null
  if (last.includes('.') && !four)
    return null
  const hex = four ? parts.slice(0, -1) : parts
  if (!hex.every(part => /^[\da-f]{1,4}$/i.test(part)))
    return null
  const words = hex.map(part => Number.parseInt(part, 16))
  if (four)
    words.push((four[0] ?? 0) << 8 | (four[1] ?? 0), (four[2] ?? 0) << 8 | (four[3] ?? 0))
  return words
}

function masked(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, i) => byte & (0xFF << Math.max(0, 8 - Math.max(0, bits - 8 * i))))
}

/** RFC 5952, with the longest run of zeros shortened. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4)
    return bytes.join('.')
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8 | (bytes[2 * i + 1] ?? 0)).toString(16))
  let best = [0, 0] as readonly [number, number]
  for (let from = 0; from < 8; from += 1) {
    let until = from
    while (until < 8 && words[until] === '0')
      until += 1
    if (until - from > best[1] - best[0])
      best = [from, until]
  }
  return best[1] - best[0] < 2 ? words.join(':') : `${words.slice(0, best[0]).join(':')}::${words.slice(best[1]).join(':')}`
}

/** "198.51.100.0/24": the network of an address; null when the text is none. */
export function prefixOf(address: string, bitsV4: number, bitsV6: number): string | null {
  const bytes = parseAddress(address)
  if (!bytes)
    return null
  const bits = bytes.length === 4 ? bitsV4 : bitsV6
  return `${formatAddress(masked(bytes, bits))}/${bits}`
}

export interface Network { readonly bytes: Uint8Array, readonly bits: number }

/** "10.0.0.0/8", "10." (what is typed on the way there is not one), or an address alone; null when it is no network. */
export function parseNetwork(text: string): Network | null {
  const [address = '', length, ...rest] = text.split('/')
  const bytes = parseAddress(address)
  if (!bytes || rest.length > 0)
    return null
  const bits = length === undefined ? bytes.length * 8 : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  return bits >= 0 && bits <= bytes.length * 8 ? { bytes: masked(bytes, bits), bits } : null
}

export function inNetwork(address: string, network: Network): boolean {
  const bytes = parseAddress(address)
  return bytes !== null && bytes.length === network.bytes.length && masked(bytes, network.bits).every((byte, i) => byte === network.bytes[i])
}
