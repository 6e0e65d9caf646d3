// pgvector without installing it: PGlite (PostgreSQL 18 in WebAssembly) with the vector extension, one connection at a time.
// Prints its port; ends with its standard input.
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const db = await PGlite.create({ extensions: { vector } })
await db.exec('CREATE EXTENSION vector')
const server = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1' })
server.addEventListener('listening', event => console.log(event.detail.port))
await server.start()
process.stdin.resume().on('end', () => process.exit(0))
