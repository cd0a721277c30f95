import { describe, expect, it } from 'vitest'
import { chatbot } from '../../src/sources/chats/chatbot.ts'
import { chatlio } from '../../src/sources/chats/chatlio.ts'
import { api, freshPipeline, json } from '../support/api.ts'
import { rowsOf } from '../support/rest.ts'

process.env.SOURCES__CHATBOT__API_KEY = 'chatbot-key-1'
process.env.SOURCES__CHATLIO__API_KEY = 'chatlio-key-1'

describe('ChatBot stories', () => {
  const stories = [
    { id: 'a', name: 'first' },
    { id: 'b', name: 'second' },
  ]
  it.each([
    ['a bare list', stories],
    ['a list under data', { data: stories }],
  ])('are read from %s', async (_shape, body) => {
    const target = await api((_request, response) => json(response, body))
    const loading = freshPipeline()
    await loading.run(chatbot({ baseUrl: target.baseUrl }).withResources('stories'))
    expect(await rowsOf(loading, 'stories')).toEqual(stories)
  })
})

describe('Chatlio chat_endpoints', () => {
  it.each([
    ['conversations and settings', ['w1', 'w2'], [{ conversationUUID: 'c', widgetId: 'w3' }], ['w1', 'w2', 'w3']],
    ['settings alone', ['w1'], [], ['w1']],
    ['conversations alone', [], [{ conversationUUID: 'c', widgetId: 'w3' }, { conversationUUID: 'd' }], ['w3']],
    ['both, once', ['w1'], [{ conversationUUID: 'c', widgetId: 'w1' }], ['w1']],
  ])('has the widgets of %s', async (_from, widgetIds, conversations, expected) => {
    const target = await api((_request, response) => json(response, conversations))
    const loading = freshPipeline()
    await loading.run(chatlio({ baseUrl: target.baseUrl, widgetIds }).withResources('chat_endpoints'))
    const rows = await rowsOf(loading, 'chat_endpoints')
    expect(rows.map((row) => row.widget_id)).toEqual(expected)
  })
})
