// What the server takes for a host: checked as one types.

// A label of a host name (RFC 1123, with underscores as the DNS allows).
const HOST_LABEL = /^(?!-)[\w-]{1,63}(?<!-)$/
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/
const HEX_GROUP = /^[\da-f]{1,4}$/i

/** RFC 4291: eight groups, "::" once for any number of them, the last two perhaps as IPv4. */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2)
    return false
  const groups = halves.map(half => half === '' ? [] : half.split(':'))
  const flat = groups.flat()
  const tail = flat.at(-1) ?? ''
  const withV4 = tail.includes('.') && text.endsWith(tail)
  const hex = withV4 ? flat.slice(0, -1) : flat
  const count = hex.length + (withV4 ? 2 : 0)
  return hex.every(group => HEX_GROUP.test(group)) && (!withV4 || IPV4.test(tail)) && (halves.length === 2 ? count < 8 : count === 8)
}

/** What the server takes for a host: an address, perhaps with a zone, or a name that is no mistyped address. */
export function isHost(text: string): boolean {
  if (text.length === 0 || text.length > 253)
    return false
  const address = text.replace(/%.*$/, '')
  if (IPV4.test(address) || (address.includes(':') && isIpv6(address)))
    return true
  const labels = text.replace(/\.$/, '').split('.')
  return !/^\d*$/.test(labels.at(-1) ?? '') && labels.every(label => HOST_LABEL.test(label))
}
