/** Sign-in with the accounts of Keystone. */
import { useSignal } from '@preact/signals'
import { signIn } from '../net/session.ts'
import { textIn } from '../part/form.ts'
import { Heading } from '../part/page.tsx'

const FIELDS = [
  { name: 'user', label: 'User', type: 'text', autocomplete: 'username' },
  { name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
  { name: 'project', label: 'Project', type: 'text', autocomplete: 'on' },
  { name: 'domain', label: 'Domain', type: 'text', autocomplete: 'on', value: 'Default' },
] as const

export function SignInView({ message }: { readonly message: string | undefined }) {
  const error = useSignal('')
  const isSending = useSignal(false)
  const send = async (form: FormData) => {
    isSending.value = true
    error.value = ''
    try {
      await signIn({
        user: textIn(form, 'user'),
        password: textIn(form, 'password'),
        project: textIn(form, 'project'),
        domain: textIn(form, 'domain'),
      })
    } catch (refusal) {
      error.value = refusal instanceof Error ? refusal.message : String(refusal)
    }
    isSending.value = false
  }
  return (
    <div class="sign-in">
      <Heading title="Sign in">Sign in</Heading>
      {message === undefined ? null : <p>{message}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void send(new FormData(event.currentTarget))
        }}
      >
        {FIELDS.map(({ name, label, ...field }) => (
          <label key={name}>
            {label}
            <input name={name} required maxLength={255} {...field} />
          </label>
        ))}
        {error.value === '' ? null : (
          <p class="trouble" role="alert">
            {error.value}
          </p>
        )}
        <button type="submit" class="main" disabled={isSending.value}>
          Sign in
        </button>
      </form>
    </div>
  )
}
