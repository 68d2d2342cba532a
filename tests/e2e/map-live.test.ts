// The network map of a real network: an agent traces through routers of which one branch is taken away.
import type { Page } from 'playwright-core'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axe, settled, shot } from './browser.ts'
import { isRoot } from './host.ts'
import { Installation } from './installation.ts'
import { rested } from './map-page.ts'
import { built, until } from './programs.ts'
import { RoutedNetwork } from './network.ts'

interface Map { nodes: { id: string, kind: string, address: string | null, grade: string }[], paths: { nodes: string[] }[] }

describe.skipIf(!built() || !isRoot())('the map of a real network', () => {
  const network = new RoutedNetwork()
  const both = [network.branch.a, network.branch.b]
  const installation = new Installation('map', network.spaces)
  let page: Page
  let faults: string[]
  let close: (() => Promise<void>) | undefined
  let rerouted = 0

  const read = async (at?: number) => await installation.call('GET', `/workspaces/${installation.workspace}/topology${at === undefined ? '' : `?at=${at}&window=60`}`) as unknown as Map
  const addresses = (map: Map) => map.nodes.filter(node => node.kind === 'router').map(node => node.address).sort()
  const open_ = async (query: string) => {
    await page.goto(`${installation.base}/w/${installation.workspace}/map?${query}`)
    await settled(page)
  }
  const label = () => page.getByRole('application').getAttribute('aria-label')

  beforeAll(async () => {
    network.up()
    network.by('both')
    await installation.up()
    await installation.probe('path', { target: network.target, interval: 1000, protocol: 'udp', flows: '16', cycles: 3, timeout: 500, mtu_discovery: false }, 'path')
    ;({ page, faults, close } = await installation.signedIn())
    await until('both branches are on the map', async () => addresses(await read()).length === 4, 60_000)
  })
  afterAll(async () => {
    await close?.()
    await installation.down()
    await network.down()
  })

  it('shows every router once, both branches, and ends by their kind', async () => {
    const map = await read()
    expect(addresses(map)).toEqual([network.first, ...both, network.third].sort())
    expect(map.nodes.filter(node => node.kind !== 'router').map(node => node.kind).sort()).toEqual(['agent', 'target'])
    await open_('')
    // Neighbours are looked up when the first packets come: a few of these may be lost, until ten runs later.
    await expect.poll(label, { timeout: 60_000 }).toMatch(/^Network map: 6 nodes, 6 links, \d+ paths, 0 problems/)
    const table = page.getByRole('table', { name: 'Nodes of the map' })
    for (const address of [network.first, ...both, network.third])
      await table.getByRole('button', { name: address, exact: true }).waitFor()
    await table.getByRole('button', { name: network.first, exact: true }).click()
    await page.getByRole('region', { name: 'Selection' }).getByText('over 2 next hops').waitFor()
    await shot(page, 'map-live')
    expect(await axe(page)).toEqual([])
  })
  it('shows the reroute by itself', async () => {
    await open_('')
    await expect.poll(label).toMatch(/6 nodes/)
    network.by('a')
    rerouted = Date.now()
    await expect.poll(label, { timeout: 90_000 }).toMatch(/^Network map: 5 nodes, 4 links/)
    await shot(page, 'map-live-rerouted')
    expect(addresses(await read())).not.toContain(network.branch.b)
  })
  it('has both moments: as it was, and what is different', async () => {
    // How soon it is certain depends on how many flows the kernel had hashed onto the branch.
    await until('the change is told', async () => ((await installation.call('GET', `/workspaces/${installation.workspace}/topology/timeline?from=${(rerouted - 600_000) * 1000}&to=${(Date.now() + 1000) * 1000}&buckets=100`)).changes as unknown[]).length === 1, 90_000)
    await open_('from=now-15m&to=now')
    // Compared is with the moment before the last change.
    await page.getByRole('button', { name: 'Compare' }).click()
    await page.waitForURL(/vs=\d{13}/)
    const differences = page.getByRole('region', { name: 'Differences' })
    await differences.getByRole('button', { name: network.branch.b, exact: true }).waitFor()
    await differences.getByText('1 probe took other ways').waitFor()
    await rested(page)
    await shot(page, 'map-live-compared')
    expect(await axe(page)).toEqual([])
    await open_(`at=${rerouted - 1000}`)
    await expect.poll(label).toMatch(/^Network map: 6 nodes/)
    const [download] = await (async () => {
      await page.getByRole('button', { name: 'Export map' }).click()
      return Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Network as JSON' }).click()])
    })()
    expect(addresses(JSON.parse(readFileSync(await download.path(), 'utf8')) as Map)).toContain(network.branch.b)
    expect(faults).toEqual([])
  })
  it('is on the overview as a change of a route, which leads to the path before and after', async () => {
    await page.goto(`${installation.base}/w/${installation.workspace}`)
    await settled(page)
    await page.getByRole('region', { name: 'Route changes' }).getByRole('link', { name: 'path' }).click()
    await page.waitForURL(/\/probes\/[^?]+\?.*before=\d{13}/)
  })
})
