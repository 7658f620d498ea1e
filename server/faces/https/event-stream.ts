// Server-sent events over HTTP/1.1 and HTTP/2: framing, heartbeats, readers that are too slow, and an end in order.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { refusals } from './rules.ts';

/** What an operation writes to. Both do nothing once the reader is gone. */
export interface EventSink {
  /** Shape: `id` is what the reader resumes from; `data` becomes one line of JSON. */
  send(event: { readonly id: string; readonly name?: string; readonly data: unknown }): void;
  /** Ends the answer; a browser then asks again. */
  end(): void;
}

/** What a stream's handler returns: called once the head of the answer has gone out. */
export interface EventStream {
  begin(sink: EventSink): { close(): void };
}

export interface EventStreams {
  send(request: FastifyRequest, reply: FastifyReply, stream: EventStream): FastifyReply;
  /** Ends all streams, so that closing waits for none. */
  close(): void;
}

/** A proxy or a browser that hears nothing for longer takes the connection for dead. */
const heartbeatMs = 25_000;
/** How much may wait for one reader. Units: bytes. */
const waitingBytesMax = 256 * 1024;
/** Of all readers of this process together. */
const streamsMax = 8000;
/** Units: ms until a browser asks again. */
const retryMs = 2000;

interface Open {
  write(text: string): void;
  end(): void;
}

export function createEventStreams(parts: { clock: Clock }): EventStreams {
  const { clock } = parts;
  const open = new Set<Open>();
  let timer: Timer | undefined;
  let isClosed = false;

  // One timer for all: a thousand readers cost one wake-up.
  function beat(): void {
    timer = undefined;
    for (const one of open) one.write(':\n\n');
    arm();
  }
  function arm(): void {
    if (open.size > 0 && !isClosed) timer ??= clock.after(heartbeatMs, beat);
  }

  return {
    send(request, reply, stream) {
      if (open.size >= streamsMax || isClosed) throw refusals.streams_at_their_limit({ retryAfterSeconds: 10 });
      const { raw } = reply;
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) raw.setHeader(name, value);
      // Proxies that gather answers would hold events back.
      raw.setHeader('x-accel-buffering', 'no');
      raw.setHeader('content-type', 'text/event-stream; charset=utf-8');
      raw.writeHead(200);
      let isOver = false;
      const one: Open = {
        write(text) {
          if (isOver) return;
          raw.write(text);
          // NOTE: what a reader does not take is kept in memory until it does, so one that falls behind is let go.
          if (raw.writableLength > waitingBytesMax) raw.destroy();
        },
        end() {
          if (!isOver) raw.end();
        },
      };
      open.add(one);
      arm();
      one.write(`retry: ${retryMs}\n\n`);
      const following = stream.begin({
        send: ({ id, name, data }) =>
          one.write(`${name === undefined ? '' : `event: ${name}\n`}id: ${id}\ndata: ${JSON.stringify(data)}\n\n`),
        end: () => one.end(),
      });
      raw.once('close', () => {
        isOver = true;
        open.delete(one);
        following.close();
      });
      // A reader that left while the head was written has no close to come.
      if (raw.destroyed || request.raw.destroyed) raw.destroy();
      return reply;
    },
    close() {
      isClosed = true;
      timer?.close();
      for (const one of open) one.end();
    },
  };
}
