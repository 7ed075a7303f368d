// Mercurius with its JIT, serving the benchmark's queries from memory: node server.js PORT FOLDER
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import mercurius from 'mercurius'

const [port, folder] = process.argv.slice(2)
const read = (name) => JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')).data
const event = read('event').event
const events = read('list').events

const schema = `
  type Money { amount: Int! currency: String! }
  type Venue {
    id: ID! name: String! address: String city: String! country: String lat: Float lng: Float timezone: String!
  }
  type Performer { id: ID! name: String! genres: [String!]! }
  type Availability { total: Int! available: Int! held: Int! booked: Int! }
  type Event {
    id: ID! name: String! description: String! category: String startsAt: String! endsAt: String
    timezone: String! status: String! onSaleAt: String offSaleAt: String maxTicketsPerOrder: Int!
    orphanRule: Boolean! priceFrom: Money priceTo: Money
    venue: Venue! performers: [Performer!]! availability: Availability!
  }
  type Edge { node: Event! }
  type Connection { edges: [Edge!]! }
  input EventFilter { startsFrom: String }
  type Query { event(id: ID!): Event events(first: Int, filter: EventFilter): Connection! }
`
const resolvers = {
  Query: {
    event: async () => event,
    events: async () => events
  },
  Event: {
    status: (root) => root.status,
    venue: async (root) => root.venue,
    performers: async (root) => root.performers,
    availability: async (root) => root.availability
  }
}

const app = Fastify({ logger: false })
app.register(mercurius, { schema, resolvers, jit: 1 })
await app.listen({ port: Number(port), host: '127.0.0.1' })
