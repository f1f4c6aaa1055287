/** Sign-in with the accounts of Keystone. */
import { signIn } from '../net/session.ts'
import { useAttempt } from '../part/attempt.ts'
import { textIn } from '../part/form.ts'
import { Alert, Heading } from '../part/page.tsx'

const FIELDS = [
  { name: 'user', label: 'User', type: 'text', autocomplete: 'username' },
  { name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
  { name: 'project', label: 'Project', type: 'text', autocomplete: 'on' },
  { name: 'domain', label: 'Domain', type: 'text', autocomplete: 'on', value: 'Default' },
] as const

export function SignInView({ message }: { readonly message: string | undefined }) {
  const { isBusy, error, run } = useAttempt()
  const send = (form: FormData) =>
    run(() =>
      signIn({
        user: textIn(form, 'user'),
        password: textIn(form, 'password'),
        project: textIn(form, 'project'),
        domain: textIn(form, 'domain'),
      }),
    )
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
        <Alert message={error.value} />
        <button type="submit" class="main" disabled={isBusy.value}>
          Sign in
        </button>
      </form>
    </div>
  )
}
