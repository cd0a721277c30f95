// @ts-expect-error it brings no types
import thrift from 'thrift'

const { TBinaryProtocol, TBufferedTransport, Thrift } = thrift

// oxlint-disable-next-line typescript/no-explicit-any -- the driver's generated classes have no types of their own here
type Struct = any

/** A call or an answer: its name, and one struct that is read with the class that it has. */
export interface Message {
  method: string
  type: number
  id: number
  /** Number of the field that holds the struct: 1 in calls, 0 in answers. */
  field: number
  read(struct: new () => Struct): Struct
}

export function readMessage(body: Buffer): Message {
  let protocol: Struct
  TBufferedTransport.receiver((transport: Struct) => {
    protocol = new TBinaryProtocol(transport)
  }, 0)(body)
  const { fname, mtype, rseqid } = protocol.readMessageBegin()
  protocol.readStructBegin()
  const { fid } = protocol.readFieldBegin()
  return {
    method: fname,
    type: mtype,
    id: rseqid,
    field: fid,
    read(struct) {
      const value = new struct()
      value.read(protocol)
      return value
    },
  }
}

export function writeMessage({ method, type, id, field, value }: Omit<Message, 'read'> & { value: Struct }): Buffer {
  const chunks: Buffer[] = []
  const transport = new TBufferedTransport(undefined, (chunk: Buffer) => chunks.push(chunk))
  const protocol = new TBinaryProtocol(transport)
  protocol.writeMessageBegin(method, type, id)
  protocol.writeStructBegin('message')
  protocol.writeFieldBegin('value', Thrift.Type.STRUCT, field)
  value.write(protocol)
  protocol.writeFieldEnd()
  protocol.writeFieldStop()
  protocol.writeStructEnd()
  protocol.writeMessageEnd()
  transport.flush()
  return Buffer.concat(chunks)
}
