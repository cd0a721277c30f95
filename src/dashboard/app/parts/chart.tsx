/** Charts of a few marks: bars and a line over runs, and how the values of a column are spread. */
import { scaleLinear } from 'd3-scale'
import type { JSX } from 'preact'
import type { RunStatus, RunSummary } from '../../api.ts'
import { moment, plural } from '../format.ts'
import { go } from '../router.tsx'
import { useWidth } from './width.ts'

export interface Bar {
  key: string
  value: number
  title: string
  status?: RunStatus
  path?: string
  /** Below it, where there is room for all of them. */
  label?: string
}

/** Bars as small as a word: how the last runs were. */
export function SparkBars({ bars, slots, label }: { bars: readonly Bar[]; slots: number; label: string }): JSX.Element {
  const [width, height, step] = [slots * 6, 24, 6]
  const y = scaleLinear([0, Math.max(1, ...bars.map(({ value }) => value))], [2, height])
  const first = slots - bars.length
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {bars.map(({ key, value, title, status }, at) => (
        <rect
          key={key}
          class={`bar ${status ?? ''}`}
          x={(first + at) * step}
          y={height - y(value)}
          width={step - 2}
          height={y(value)}
          rx={1}
        >
          <title>{title}</title>
        </rect>
      ))}
    </svg>
  )
}

interface ChartProps {
  title: string
  bars: readonly Bar[]
  /** What a value is, for the axis. */
  unit(value: number): string
  height?: number
  /** Below the first and the last bar. */
  ends?: readonly [string, string]
}

const [axis, top, bottom, letter] = [44, 8, 20, 6.4]

/** Bars on an axis with few, round numbers. Its width is that of the place it stands in. */
export function BarChart({ title, bars, unit, height = 132, ends }: ChartProps): JSX.Element {
  const [place, width] = useWidth<HTMLElement>()
  const y = scaleLinear([0, Math.max(...bars.map(({ value }) => value), 0) || 1], [height - bottom, top]).nice(3)
  const isLabelled = bars.length > 0 && bars.every(({ label }) => label !== undefined)
  const step = Math.min((width - axis) / Math.max(bars.length, 1), isLabelled ? 96 : 28)
  const letters = Math.floor((step - 4) / letter)
  /** What is not nothing can be seen, and so can a failure. */
  const tall = (value: number, status: RunStatus | undefined): number =>
    Math.max(height - bottom - y(value), status === 'failed' || status === 'died' ? 3 : value > 0 ? 1 : 0)
  const gap = step > 40 ? 12 : step > 6 ? 2 : step > 3 ? 1 : 0
  return (
    <figure class="chart" ref={place}>
      <figcaption>{title}</figcaption>
      <svg width={width} height={height} role="img" aria-label={`${title}: ${bars.length} bars`}>
        {y.ticks(3).map((tick) => (
          <g key={tick}>
            <line class="grid-line" x1={axis} x2={width} y1={y(tick)} y2={y(tick)} />
            <text class="tick" x={axis - 6} y={y(tick) + 4} text-anchor="end">
              {unit(tick)}
            </text>
          </g>
        ))}
        {bars.map(({ key, value, title: told, status, path }, at) => (
          <rect
            key={key}
            class={`bar ${status ?? ''} ${path === undefined ? '' : 'leads'}`}
            x={axis + at * step}
            y={height - bottom - tall(value, status)}
            width={Math.max(step - gap, 1)}
            height={tall(value, status)}
            rx={step > 8 ? 2 : 0}
            onClick={path === undefined ? undefined : () => go(path)}
          >
            <title>{told}</title>
          </rect>
        ))}
        {isLabelled && (
          <g class="tick" text-anchor="middle">
            {bars.map(({ key, label = '' }, at) => (
              <text key={key} x={axis + at * step + (step - gap) / 2} y={height - 4}>
                {label.length > letters ? `${label.slice(0, Math.max(letters - 1, 1))}…` : label}
              </text>
            ))}
          </g>
        )}
        {!isLabelled && ends !== undefined && bars.length > 0 && (
          <g class="tick">
            <text x={axis} y={height - 4}>
              {ends[0]}
            </text>
            {bars.length > 1 && ends[0] !== ends[1] && (
              <text
                x={Math.min(Math.max(axis + bars.length * step, axis + 240), width)}
                y={height - 4}
                text-anchor="end"
              >
                {ends[1]}
              </text>
            )}
          </g>
        )}
      </svg>
    </figure>
  )
}

/** Runs as bars of one of their figures; each leads to its run. */
export const runBars = (
  runs: readonly RunSummary[],
  figure: (run: RunSummary) => number,
  told: (value: number) => string,
  pathOf?: (run: RunSummary) => string,
): Bar[] =>
  runs.map((run) => ({
    key: run.id,
    value: figure(run),
    title: `${moment(run.startedAt.slice(0, 19))} · ${run.status} · ${told(figure(run))}`,
    status: run.status,
    ...(pathOf === undefined ? {} : { path: pathOf(run) }),
  }))

export const rowsTold = (value: number): string => plural(value, 'row')
