// The portal as this installation serves it: where its built files lie, how it names the broker, and the documents beside it.
import { readFile } from 'node:fs/promises';
import type { Settings } from './config.ts';
import type { Brand, DocumentRoute } from './faces/https/documents.ts';
import { openPortalFiles } from './faces/https/portal-files.ts';
import type { PortalParts } from './faces/https/portal.ts';
import { refusals } from './faces/https/rules.ts';
import type { Help } from './help/help.ts';
import { createHelpDocuments } from './help/pages-https.ts';
import type { Identity } from './identity/identity.ts';
import { createIdentityDocuments } from './identity/pages-https.ts';

const logoSizeBytesMax = 256 * 1024;

/** Reads what the pages need; undefined where only programs are served. Refuses: portal_not_built, logo_unusable. */
export async function openPortal(
  settings: Settings,
  parts: { identity: Identity; help: Help },
): Promise<(PortalParts & { readonly documents: readonly DocumentRoute[] }) | undefined> {
  if (!settings.portal) return undefined;
  return {
    files: await openPortalFiles(settings.portalDir),
    brand: await openBrand(settings),
    documents: [...createIdentityDocuments(parts), ...createHelpDocuments(parts)],
  };
}

/** Looks for the pages before anything is opened, so that a start without them ends at once. Refuses: portal_not_built, logo_unusable. */
export async function checkPortal(settings: Settings): Promise<void> {
  if (!settings.portal) return;
  await openPortalFiles(settings.portalDir);
  await openBrand(settings);
}

async function openBrand({ brokerName: name, logoFile: file }: Settings): Promise<Brand> {
  if (file === undefined) return { name };
  const bytes = await readFile(file);
  const isPng = bytes.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'));
  const isSvg = /^\s*(<\?xml[^>]*\?>\s*)?(<!--[^]*?-->\s*)*<svg[\s>]/.test(bytes.toString('utf8', 0, 4096));
  if (bytes.length > logoSizeBytesMax || !(isPng || isSvg)) {
    throw refusals.logo_unusable({ file, limitBytes: logoSizeBytesMax });
  }
  return { name, logo: { contentType: isPng ? 'image/png' : 'image/svg+xml', bytes } };
}
