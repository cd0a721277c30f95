// Compiled, not run: what must not compile stands below a comment that says so, and is an error itself when it does.
import { resource } from '../../src/index.ts'
import { restSource, type RestResourceSpec } from '../../src/sources/rest/index.ts'

const client = { baseUrl: 'https://api.example.com' }

restSource({
  name: 's',
  client: { ...client, auth: { type: 'bearer' }, rateLimit: { requests: 1, perSeconds: 1 } },
  resourceDefaults: { primaryKey: 'id', endpoint: { params: { limit: 100 } } },
  resources: [
    'users',
    {
      name: 'posts',
      writeDisposition: 'merge',
      includeFromParent: ['id'],
      processingSteps: [{ filter: (row: { id: number }) => row.id > 1 }],
      endpoint: {
        path: 'users/{resources.users.id}/posts',
        params: { of: '{resources.users.name}', other: 1 },
        paginator: { type: 'cursor', cursorPath: 'next' },
        incremental: { cursorPath: 'at', startParam: 'since' },
        responseActions: [
          { statusCode: 404, action: 'ignore' },
          (response) => (response.status === 200 ? undefined : 'retry'),
        ],
      },
    },
    { name: 'tags', endpoint: 'posts/{resources.posts.id}/tags/{resources.users.id}' },
  ],
})

// Parents from code, and lists that are made at run time, are left to the check at run time.
restSource({
  name: 's',
  client,
  resources: [resource('seed', [{ id: 1 }]), { name: 'a', endpoint: 'a/{resources.seed.id}' }],
})
const made: RestResourceSpec[] = ['a', 'b'].map((name) => ({ name, endpoint: `x/{resources.${name}.id}` }))
restSource({ name: 's', client, resources: made })

// @ts-expect-error a parent that does not exist
restSource({ name: 's', client, resources: ['users', { name: 'posts', endpoint: 'users/{resources.user.id}/posts' }] })

restSource({
  name: 's',
  client,
  // @ts-expect-error the second of two parents does not exist
  resources: ['a', { name: 'b', endpoint: '{resources.a.id}/{resources.c.id}' }],
})

// @ts-expect-error a parent in a parameter that does not exist
restSource({ name: 's', client, resources: ['a', { name: 'b', endpoint: { params: { of: '{resources.x.id}' } } }] })

// @ts-expect-error a key that no resource has
restSource({ name: 's', client, resources: [{ name: 'a', primaryKeys: 'id' }] })

// @ts-expect-error a key that no endpoint has
restSource({ name: 's', client, resources: [{ name: 'a', endpoint: { path: 'a', dataSelektor: 'x' } }] })

// @ts-expect-error a key of another paginator
restSource({ name: 's', client, resources: [{ name: 'a', endpoint: { paginator: { type: 'cursor', limit: 1 } } }] })

// @ts-expect-error a paginator that does not exist
restSource({ name: 's', client, resources: [{ name: 'a', endpoint: { paginator: 'cursr' } }] })

// @ts-expect-error a key that the cursor does not have
restSource({ name: 's', client, resources: [{ name: 'a', endpoint: { incremental: { cursorPath: 'a', from: 1 } } }] })

// @ts-expect-error a key that the client does not have
restSource({ name: 's', client: { ...client, retries: 5 }, resources: ['a'] })

// @ts-expect-error a value of the wrong kind
restSource({ name: 's', client, resources: [{ name: 'a', endpoint: { method: 'get' } }] })
