import { render, type JSX } from 'preact'
import './style/tokens.css'
import './style/layout.css'
import './style/parts.css'
import { useKeys } from './keys.ts'
import { Compare } from './pages/compare.tsx'
import { Data } from './pages/data.tsx'
import { Home } from './pages/home.tsx'
import { Overview } from './pages/overview.tsx'
import { Packages } from './pages/packages.tsx'
import { Requests } from './pages/requests.tsx'
import { Run } from './pages/run.tsx'
import { Runs } from './pages/runs.tsx'
import { Schema } from './pages/schema.tsx'
import { Sql } from './pages/sql.tsx'
import { State } from './pages/state.tsx'
import { Empty } from './parts/notes.tsx'
import { usePlace, type Place } from './router.tsx'
import { takeToken } from './server.ts'
import { Shell } from './shell.tsx'

function View({ parts, query }: Place): JSX.Element {
  const [root, pipeline, page, name, other] = parts
  if (root === undefined) return <Home />
  if (root !== 'p' || pipeline === undefined) return <Empty title="There is no such page">Choose a pipeline.</Empty>
  // Keyed by what they show: nothing of one pipeline stays when another is chosen.
  switch (page) {
    case undefined:
      return <Overview key={pipeline} pipeline={pipeline} />
    case 'runs':
      return name === undefined ? (
        <Runs key={pipeline} pipeline={pipeline} />
      ) : (
        <Run key={`${pipeline} ${name}`} pipeline={pipeline} id={name} />
      )
    case 'compare':
      return <Compare key={`${name} ${other}`} pipeline={pipeline} before={name ?? ''} after={other ?? ''} />
    case 'data':
      return <Data key={`${pipeline} ${name}`} pipeline={pipeline} table={name} query={query} />
    case 'sql':
      return <Sql key={pipeline} pipeline={pipeline} query={query} />
    case 'schema':
      return <Schema key={pipeline} pipeline={pipeline} view={name} />
    case 'state':
      return <State key={pipeline} pipeline={pipeline} />
    case 'requests':
      return <Requests key={`${pipeline} ${name}`} pipeline={pipeline} run={name} />
    case 'packages':
      return <Packages key={pipeline} pipeline={pipeline} />
    default:
      return <Empty title="There is no such page">Choose one at the left.</Empty>
  }
}

function App(): JSX.Element {
  const place = usePlace()
  useKeys(place)
  return (
    <Shell place={place}>
      <View {...place} />
    </Shell>
  )
}

takeToken()
render(<App />, document.getElementById('app')!)
