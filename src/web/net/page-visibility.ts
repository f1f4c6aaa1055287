/** Whether somebody looks at this page. */
import type { Visibility } from './visibility.ts'

export const pageVisibility: Visibility = {
  isVisible: () => document.visibilityState === 'visible',
  onVisibility: (changed) => {
    document.addEventListener('visibilitychange', changed)
    return () => document.removeEventListener('visibilitychange', changed)
  },
}
