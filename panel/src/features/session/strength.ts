// A rough estimate of how hard a password is to guess: its length and how much of it repeats.

export interface Strength {
  readonly share: number
  readonly word: string
}

const TOO_SHORT = 10

export function strength(password: string): Strength {
  if (password.length < TOO_SHORT)
    return { share: Math.min(0.2, password.length / 50), word: 'Too short' }
  const distinct = new Set(password.toLowerCase()).size
  // Steps to the next letter (abc, 321) and repetitions (aaa) add next to nothing.
  let surprising = 1
  for (let i = 1; i < password.length; i += 1)
    if (Math.abs(password.charCodeAt(i) - password.charCodeAt(i - 1)) > 1)
      surprising += 1
  const bits = surprising * Math.log2(Math.max(2, distinct))
  if (bits < 28)
    return { share: 0.3, word: 'Weak' }
  if (bits < 45)
    return { share: 0.6, word: 'Fair' }
  return bits < 65 ? { share: 0.8, word: 'Good' } : { share: 1, word: 'Strong' }
}
