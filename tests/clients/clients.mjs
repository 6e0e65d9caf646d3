// Drives real clients against the server at argv[2]: chat, streaming, tools and structured output with each.
// Prints a JSON line for every check; what fails throws and ends the process.
import OpenAI from 'openai';
import { generateText, streamText, Output, tool } from 'ai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { tool as langchainTool } from '@langchain/core/tools';
import { z } from 'zod';

const baseURL = process.argv[2], apiKey = process.argv[3], model = 'm';
const question = 'How much are 40 and 2?';
const weather = { city: z.string() };
const answer = z.object({ answer: z.number() });
const report = (client, check, value) => console.log(JSON.stringify({ client, check, value }));

const openai = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: 'user', content: question }];
const whole = await openai.chat.completions.create({ model, messages });
report('openai', 'chat', whole.choices[0].message.content);
let text = '', ends = 0;
for await (const chunk of await openai.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } })) {
  text += chunk.choices[0]?.delta?.content ?? '';
  ends += chunk.choices[0]?.finish_reason ? 1 : 0;
}
report('openai', 'stream', `${text} ends ${ends}`);
const called = await openai.chat.completions.create({
  model, messages, tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } }],
});
report('openai', 'tools', called.choices[0].message.tool_calls[0].function.name);
const formed = await openai.chat.completions.parse({
  model, messages, response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: { type: 'object', properties: { answer: { type: 'number' } }, required: ['answer'], additionalProperties: false } } },
});
report('openai', 'structured', JSON.parse(formed.choices[0].message.content).answer);

const vercel = createOpenAICompatible({ name: 'speedup', baseURL, apiKey, supportsStructuredOutputs: true })(model);
report('ai', 'chat', (await generateText({ model: vercel, prompt: question, maxRetries: 0 })).text);
text = '';
for await (const piece of streamText({ model: vercel, prompt: question, maxRetries: 0 }).textStream) text += piece;
report('ai', 'stream', text);
const use = await generateText({ model: vercel, prompt: question, maxRetries: 0, tools: { weather: tool({ description: 'weather', inputSchema: z.object(weather) }) } });
report('ai', 'tools', use.toolCalls[0].toolName);
const object = await generateText({ model: vercel, prompt: question, maxRetries: 0, output: Output.object({ schema: answer }) });
report('ai', 'structured', object.output.answer);

const langchain = new ChatOpenAI({ model, apiKey, maxRetries: 0, configuration: { baseURL } });
report('langchain', 'chat', (await langchain.invoke(question)).text);
text = '';
for await (const piece of await langchain.stream(question)) text += piece.text;
report('langchain', 'stream', text);
const bound = await langchain.bindTools([langchainTool(async () => 'sunny', { name: 'weather', description: 'weather', schema: z.object(weather) })]).invoke(question);
report('langchain', 'tools', bound.tool_calls[0].name);
report('langchain', 'structured', (await langchain.withStructuredOutput(answer, { method: 'jsonSchema', name: 'a' }).invoke(question)).answer);
