import { spawn } from 'node:child_process'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { Storage } from '@google-cloud/storage'
import { freePort, listening, stopProcess, type BucketServer } from '../support/bucket-servers.ts'
import { installGcs, installMoto } from './install.ts'

export async function startMoto(): Promise<BucketServer> {
  const port = await freePort()
  const server = spawn(installMoto(), ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  await listening(port, server)
  const endpoint = `http://127.0.0.1:${port}`
  const keys = { accessKeyId: 'test', secretAccessKey: 'test-secret-key' }
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: keys })
  await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
  client.destroy()
  return { bucketUrl: 's3://lake/raw', credentials: { ...keys, endpoint }, stop: () => stopProcess(server) }
}

/** Objects are kept in memory, or as files below a folder. */
export async function startGcs(folder?: string): Promise<BucketServer> {
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const options = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)]
  const kept = folder === undefined ? ['-backend', 'memory'] : ['-backend', 'filesystem', '-filesystem-root', folder]
  const server = spawn(
    installGcs(),
    [...options, ...kept, '-public-host', `127.0.0.1:${port}`, '-external-url', endpoint],
    {
      stdio: 'ignore',
    },
  )
  await listening(port, server)
  await new Storage({ apiEndpoint: endpoint, projectId: 'test' }).createBucket('lake')
  return { bucketUrl: 'gs://lake/raw', credentials: { endpoint, projectId: 'test' }, stop: () => stopProcess(server) }
}
