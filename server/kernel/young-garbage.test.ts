// Buffers that passed are let go without a collection of everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../test/eventually.ts';
import { notePassed } from './young-garbage.ts';

const mib = 1024 * 1024;

test('buffers that passed are collected while they are young, so that a long transfer keeps few of them', async () => {
  const before = process.memoryUsage().arrayBuffers;
  for (let passed = 0; passed < 96; passed += 1) notePassed(Buffer.allocUnsafeSlow(mib).length);
  await eventually(() => process.memoryUsage().arrayBuffers - before < 32 * mib || undefined);
  assert.ok(process.memoryUsage().arrayBuffers - before < 32 * mib);
});
