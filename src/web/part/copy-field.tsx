/** A text to be copied: by the button, or from the field, which is selected when it gets the focus. */
import { useSignal } from '@preact/signals'

export function CopyField({ label, text }: { readonly label: string; readonly text: string }) {
  const isCopied = useSignal(false)
  return (
    <p class="copy-field" role="status">
      <label>
        {label}
        <input readOnly value={text} onFocus={(event) => event.currentTarget.select()} />
      </label>
      {'clipboard' in navigator ? (
        <button
          type="button"
          onClick={() => {
            void navigator.clipboard.writeText(text).then(
              () => (isCopied.value = true),
              // The browser does not allow it: the field is there.
              () => undefined,
            )
          }}
        >
          {isCopied.value ? 'Copied' : 'Copy link'}
        </button>
      ) : null}
    </p>
  )
}
