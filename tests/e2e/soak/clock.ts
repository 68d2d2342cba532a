// Time that only moves when it is told to: timers and the date of the page. The page's own clock for durations stays.
interface Timer { readonly id: number, readonly at: number, readonly run: () => void }

export class PageClock {
  private now = Date.UTC(2026, 0, 24)
  private next = 1
  private timers: Timer[] = []

  install(): void {
    Date.now = () => this.now
    globalThis.setTimeout = ((run: () => void, ms = 0) => {
      const id = this.next++
      this.timers.push({ id, at: this.now + ms, run })
      return id
    }) as never
    globalThis.clearTimeout = ((id: number | undefined) => { this.timers = this.timers.filter(timer => timer.id !== id) }) as never
  }

  get pending(): number {
    return this.timers.length
  }

  ms(): number {
    return this.now
  }

  /** Everything that is due until then, in order, with what it starts in turn. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms
    for (;;) {
      await settle()
      const due = this.timers.filter(timer => timer.at <= until).sort((a, b) => a.at - b.at || a.id - b.id)[0]
      if (!due)
        break
      this.now = Math.max(this.now, due.at)
      this.timers = this.timers.filter(timer => timer !== due)
      due.run()
    }
    this.now = until
    await settle()
  }
}

/** Promises and Vue's queue hang on each other a few levels deep. */
async function settle(): Promise<void> {
  for (let i = 0; i < 8; i += 1)
    await Promise.resolve()
}
