// The ways to install an agent, as lines for a terminal.
import type { Downloads, Enrolment } from '@/api/types'

export interface Way {
  readonly id: string
  readonly label: string
  readonly text: string
  readonly command: string
}

const first = (downloads: Downloads | undefined) => downloads?.items[0]

/** `downloads` is undefined until the controller has answered. */
export function waysOf(enrolment: Enrolment, downloads: Downloads | undefined): Way[] {
  const ways: Way[] = [{
    id: 'line', label: 'One line', command: enrolment.command,
    text: 'Fetches the agent from this controller, verifies its checksum, installs it with a systemd unit, enrols and starts it.',
  }]
  if (downloads) {
    ways.push({
      id: 'checked', label: 'Check first', text: 'Fetches the script, compares it with the checksum that this page shows, then runs it.',
      command: `curl -fsSLO ${downloads.script_url}\necho "${downloads.script_sha256}  install.sh" | sha256sum -c - && sudo sh install.sh --token ${enrolment.token}`,
    })
    const download = first(downloads)
    if (download)
      ways.push({
        id: 'carried', label: 'Without internet', text: 'Fetch the script and the package elsewhere, carry both over, and run this beside them. The host needs to reach this controller only.',
        command: `sudo sh install.sh --file ${download.name} --token ${enrolment.token}`,
      })
  }
  ways.push({ id: 'there', label: 'Already installed', text: 'Where the program is there from a package or a former agent.', command: enrolment.enrol_command })
  return ways
}

/** Agents refuse plain HTTP to another host: who reads along would have the credential. */
export function withoutTls(command: string): boolean {
  const url = /\b(https?:\/\/\S+?)\/install\.sh/.exec(command)?.[1] ?? ''
  return url.startsWith('http://') && !/^http:\/\/(?:127\.|localhost(?:[:/]|$)|\[::1\])/.test(url)
}
