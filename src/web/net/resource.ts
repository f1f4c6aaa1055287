/** Something of the API that a view shows, and keeps up to date while it is shown. */
import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { onChange } from './live.ts'
import { keepLoaded, type Loaded, type LoadedParts, type Question } from './loaded.ts'
import type { Reading } from './reading.ts'
import { request } from './request.ts'
import { noteRefusal } from './session.ts'
import { pageVisibility } from './page-visibility.ts'

export interface Resource<Body> {
  readonly state: Signal<Loaded<Body>>
  readonly reload: () => void
}

const OF_PAGE: LoadedParts = {
  ...pageVisibility,
  nowMs: () => performance.now(),
  get: (path, signal) => request('GET', path, undefined, signal),
  onChange,
  noteRefusal,
}

/** Reads a path at once, with each event that concerns it, and every ten seconds while the page is visible. */
export function useResource<Body>(path: string, concerns: Question['concerns'] = () => true): Resource<Body> {
  const state = useSignal<Loaded<Body>>({})
  const reading = useRef<Reading | undefined>(undefined)
  useEffect(() => {
    reading.current = keepLoaded<Body>({ path, concerns }, state, OF_PAGE)
    return reading.current.end
  }, [path])
  return { state, reload: () => reading.current?.soon() }
}
