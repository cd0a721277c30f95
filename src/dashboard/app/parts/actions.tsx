import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { ask, pipelinePath, type Refused } from '../server.ts'
import { Failed } from './notes.tsx'

/** Starts the last run again. */
export function RunNow({
  pipeline,
  isRetry,
  isRunning,
}: {
  pipeline: string
  isRetry: boolean
  isRunning: boolean
}): JSX.Element {
  const { act, isBusy, error } = useAction()
  return (
    <>
      <button
        type="button"
        class="main"
        disabled={isBusy || isRunning}
        title="Starts it as it was started last time"
        onClick={() => void act(pipelinePath(pipeline, 'run'), {})}
      >
        {isRunning ? 'Running' : isBusy ? 'Starting…' : isRetry ? 'Run again' : 'Run now'}
      </button>
      {error !== undefined && <Failed error={error} />}
    </>
  )
}

function useAction(): {
  act(path: string, body: unknown): Promise<boolean>
  isBusy: boolean
  error: Refused | undefined
} {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<Refused>()
  const act = async (path: string, body: unknown): Promise<boolean> => {
    setBusy(true)
    setError(undefined)
    try {
      await ask(path, body)
      return true
    } catch (told) {
      setError(told as Refused)
      return false
    } finally {
      setBusy(false)
    }
  }
  return { act, isBusy, error }
}

export interface Choice {
  action: string
  title: string
  told: string
  body?: Record<string, unknown>
  isDangerous?: boolean
  /** How it is declined. @default 'Keep everything' */
  keep?: string
}

const choices: Choice[] = [
  {
    action: 'sync',
    title: 'Forget what is only on this machine',
    told: 'Packages that were not loaded are deleted, and the state is read from the destination again.',
  },
  {
    action: 'drop-pending-packages',
    title: 'Delete packages that were not loaded',
    told: 'Their rows are read from the source again by the next run.',
  },
  {
    action: 'drop',
    title: 'Forget cursors',
    told: 'The state of all resources is dropped; tables stay. The next run reads everything again.',
    body: { stateOnly: true },
    isDangerous: true,
  },
  {
    action: 'drop',
    title: 'Drop all tables',
    told: 'All tables of the source and its state are dropped from the destination. This cannot be taken back.',
    isDangerous: true,
  },
]

/** What changes things; each asks before. */
export function Actions({ pipeline }: { pipeline: string }): JSX.Element {
  const [chosen, setChosen] = useState<Choice>()
  const [told, setTold] = useState('')
  return (
    <>
      <div class="filter">
        {choices.map((choice) => (
          <button
            key={choice.title}
            type="button"
            class={choice.isDangerous === true ? 'danger' : ''}
            onClick={() => {
              setTold('')
              setChosen(choice)
            }}
          >
            {choice.title}…
          </button>
        ))}
        <span role="status">{told}</span>
      </div>
      {chosen !== undefined && (
        <Confirm
          key={chosen.title}
          pipeline={pipeline}
          choice={chosen}
          onDone={(done) => {
            setChosen(undefined)
            setTold(done ? `Done: ${chosen.title.toLowerCase()}.` : '')
          }}
        />
      )}
    </>
  )
}

/** What is dangerous is confirmed with the pipeline's name. */
export function Confirm({
  pipeline,
  choice,
  onDone,
}: {
  pipeline: string
  choice: Choice
  onDone(done: boolean): void
}): JSX.Element {
  const { act, isBusy, error } = useAction()
  const [name, setName] = useState('')
  const isShown = useRef(false)
  const show = (dialog: HTMLDialogElement | null): void => {
    if (dialog === null || isShown.current) return
    isShown.current = true
    dialog.showModal()
  }
  const isReady = choice.isDangerous !== true || name === pipeline
  return (
    <dialog ref={show} onClose={() => onDone(false)} aria-label={choice.title} data-closes>
      <form
        onSubmit={async (event) => {
          event.preventDefault()
          if (isReady && (await act(pipelinePath(pipeline, 'actions', choice.action), choice.body ?? {}))) onDone(true)
        }}
      >
        <h2>{choice.title}</h2>
        <p>{choice.told}</p>
        {choice.isDangerous === true && (
          <label>
            Type <strong>{pipeline}</strong> to confirm
            <input value={name} onInput={(event) => setName(event.currentTarget.value)} autocomplete="off" />
          </label>
        )}
        {error !== undefined && <Failed error={error} />}
        <div class="heading">
          <button type="submit" class={choice.isDangerous === true ? 'danger' : 'main'} disabled={!isReady || isBusy}>
            {isBusy ? 'At work…' : choice.title}
          </button>
          <button type="button" onClick={() => onDone(false)}>
            {choice.keep ?? 'Keep everything'}
          </button>
        </div>
      </form>
    </dialog>
  )
}
