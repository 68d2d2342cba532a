// A form on its way to the controller: busy meanwhile, and what the controller refused afterwards.
import type { ComputedRef, Ref } from 'vue'
import { computed, ref } from 'vue'
import { ApiError } from '@/api/problem'

export interface Submit {
  readonly busy: Ref<boolean>
  readonly failure: Ref<unknown>
  /** What is wrong with which field, as the controller says it. */
  readonly fields: ComputedRef<Record<string, string>>
  /** `refused` instead of keeping it as the failure, where it is said in another way. */
  readonly submit: (send: () => Promise<void>, refused?: (error: unknown) => void) => Promise<void>
}

export function useSubmit(): Submit {
  const busy = ref(false)
  const failure = ref<unknown>(null)
  const fields = computed(() => failure.value instanceof ApiError ? failure.value.fields : {})
  const keep = (error: unknown) => { failure.value = error }
  return {
    busy, failure, fields,
    submit: async (send, refused = keep) => {
      busy.value = true
      failure.value = null
      try {
        await send()
      }
      catch (error) {
        refused(error)
      }
      finally {
        busy.value = false
      }
    },
  }
}
