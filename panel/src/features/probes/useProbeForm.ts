// State of the probe form: loads what is edited or copied, checks as one types (after the first touch of a field), and
// saves. Errors of the server land at the field that they name.
import type { Ref } from 'vue'
import type { Kind, Probe } from '@/api/types'
import type { Draft } from './form'
import { useQueryClient } from '@tanstack/vue-query'
import { computed, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { keys } from '@/api/keys'
import { applyEvents } from '@/api/lists'
import { ApiError } from '@/api/problem'
import { plural } from '@/lib/format'
import { useToasts } from '@/ui/toast'
import { draftOf, problemsOf, settingsOf } from './form'
import { probeActions } from './queries'

const NAME_BYTES_MAX = 100

/** Fields of a problem by setting: `settings.interval` is the field `interval`. */
export function problemsFromServer(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError))
    return {}
  const rename = (field: string) => field.startsWith('agent_id') ? 'agents' : field.replace(/^settings\./, '')
  return Object.fromEntries(Object.entries(error.fields).map(([field, message]) => [rename(field), message]))
}

export function useProbeForm(workspace: () => string, kinds: Ref<Kind[] | undefined>, probes: Ref<Probe[] | undefined>) {
  const route = useRoute()
  const router = useRouter()
  const client = useQueryClient()
  const toasts = useToasts()

  const editId = typeof route.params.probe === 'string' ? route.params.probe : undefined
  const copyId = typeof route.query.copy === 'string' ? route.query.copy : undefined
  const isEdit = editId !== undefined

  const kindName = ref('')
  const name = ref('')
  const agentIds = ref<string[]>(typeof route.query.agent === 'string' ? [route.query.agent] : [])
  const draft = ref<Draft>({})
  /** Of the probe that is edited. */
  const editedAgent = ref<string>()
  const touched = ref(new Set<string>())
  const tried = ref(false)
  const fromServer = ref<Record<string, string>>({})
  const serverProblem = ref<unknown>(null)
  const loadError = ref<unknown>(null)
  const busy = ref(false)
  let etag = ''
  let loadedName = ''

  const loaded = ref(!editId && !copyId)
  const kind = computed(() => loaded.value ? kinds.value?.find(entry => entry.name === kindName.value) : undefined)

  async function load(id: string) {
    try {
      const answer = await probeActions.readForEdit(workspace(), id)
      const found = kinds.value?.find(entry => entry.name === answer.data.kind)
      kindName.value = answer.data.kind
      editedAgent.value = answer.data.agent.id
      draft.value = draftOf(found?.settings ?? [], answer.data.settings)
      loadedName = answer.data.name
      name.value = isEdit ? loadedName : ''
      etag = answer.etag
      loaded.value = true
    }
    catch (error) {
      loadError.value = error
    }
  }
  watch(kinds, (list) => {
    const source = editId ?? copyId
    if (!list || kindName.value !== '')
      return
    if (source !== undefined)
      void load(source)
    else
      kindName.value = (list.find(entry => entry.name === route.query.kind) ?? list[0])?.name ?? ''
  }, { immediate: true })
  watch(kindName, (next) => {
    const found = kinds.value?.find(entry => entry.name === next)
    if (found && loaded.value && !isEdit)
      draft.value = draftOf(found.settings)
  })
  // A copy, so that the watcher sees the difference: the draft itself is changed in place.
  const tracked = computed(() => ({ ...draft.value }))
  watch(tracked, (next, before) => {
    for (const key of Object.keys(next)) {
      if (before && key in before && next[key] !== before[key]) {
        touched.value = new Set([...touched.value, key])
        fromServer.value = Object.fromEntries(Object.entries(fromServer.value).filter(([field]) => field !== key))
      }
    }
  })

  const own = computed(() => kind.value ? problemsOf(kind.value.settings, draft.value, !isEdit) : {})
  const problems = computed<Record<string, string>>(() => {
    const visible = Object.fromEntries(Object.entries(own.value).filter(([field]) => tried.value || touched.value.has(field)))
    const noAgent: Record<string, string> = tried.value && !isEdit && agentIds.value.length === 0 ? { agents: 'Choose at least one agent' } : {}
    const longName: Record<string, string> = new TextEncoder().encode(name.value.trim()).length > NAME_BYTES_MAX ? { name: `Must be at most ${NAME_BYTES_MAX} bytes long` } : {}
    return { ...fromServer.value, ...noAgent, ...longName, ...visible }
  })
  const duplicates = computed(() => {
    const target = kind.value?.settings.find(setting => setting.type === 'target')
    const value = target ? String(draft.value[target.name] ?? '').trim().toLowerCase() : ''
    if (!target || value === '')
      return []
    return (probes.value ?? []).filter(probe => probe.id !== editId && probe.kind === kindName.value && agentIds.value.includes(probe.agent.id) && String(probe.settings[target.name] ?? '').toLowerCase() === value).map(probe => probe.name)
  })

  // A name that the server made from agent and target stays the server's unless somebody changes it.
  const renamed = () => name.value === loadedName ? {} : { name: name.value.trim() }

  async function save() {
    tried.value = true
    serverProblem.value = null
    if (!kind.value || Object.keys(problems.value).length > 0)
      return
    busy.value = true
    try {
      const settings = settingsOf(kind.value.settings, draft.value)
      const saved = editId
        ? [await probeActions.update(workspace(), editId, { ...renamed(), settings }, etag)]
        : (await probeActions.create(workspace(), { kind: kindName.value, name: name.value.trim(), enabled: true, agent_ids: agentIds.value, settings })).items
      applyEvents(client, workspace(), saved.map(probe => ({ type: 'probe' as const, probe })))
      void client.invalidateQueries({ queryKey: keys.targets(workspace()) })
      toasts.done(isEdit ? 'Saved; the agent takes it up within a second' : `${plural(saved.length, 'probe')} created`)
      const first = saved[0]
      await router.push(saved.length === 1 && first ? { name: 'probe', params: { slug: workspace(), probe: first.id } } : { name: 'probes', params: { slug: workspace() } })
    }
    catch (error) {
      fromServer.value = problemsFromServer(error)
      // What no visible field can show stands above the buttons.
      const known = new Set([...(kind.value.settings.map(setting => setting.name)), 'name', 'agents'])
      serverProblem.value = Object.keys(fromServer.value).some(field => known.has(field)) ? null : error
    }
    finally {
      busy.value = false
    }
  }
  const runsOn = computed(() => isEdit ? (editedAgent.value === undefined ? [] : [editedAgent.value]) : agentIds.value)
  return { isEdit, runsOn, kind, kindName, name, agentIds, draft, problems, serverProblem, duplicates, busy, loadError, save }
}
