import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/problem'
import { useSubmit } from './submit'

const refusal = () => new ApiError({ type: 'about:blank', title: 'no', status: 422, request_id: '', errors: [{ field: 'name', message: 'is taken' }] })

describe('a form on its way', () => {
  it('is busy until the answer is there, whatever it is', async () => {
    const { busy, submit } = useSubmit()
    const seen: boolean[] = []
    await submit(() => {
      seen.push(busy.value)
      return Promise.resolve()
    })
    await submit(() => {
      seen.push(busy.value)
      return Promise.reject(refusal())
    })
    expect([...seen, busy.value]).toEqual([true, true, false])
  })
  it('keeps what was refused, by field, until the next try', async () => {
    const { failure, fields, submit } = useSubmit()
    await submit(() => Promise.reject(refusal()))
    expect(failure.value).toBeInstanceOf(ApiError)
    expect(fields.value).toEqual({ name: 'is taken' })
    let meanwhile: unknown = refusal()
    await submit(() => {
      meanwhile = failure.value
      return Promise.resolve()
    })
    expect([meanwhile, failure.value, fields.value]).toEqual([null, null, {}])
  })
  it('tells another one who wants to say it otherwise, and nobody else', async () => {
    const { failure, submit } = useSubmit()
    const told: unknown[] = []
    await submit(() => Promise.reject(new Error('gone')), error => told.push(error))
    expect(told).toEqual([new Error('gone')])
    expect(failure.value).toBeNull()
  })
})
