// How the broker is called and drawn here, as the server wrote it into the document.

const read = (name: string): string | undefined =>
  document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content;

export const brokerName = read('application-name') ?? 'Broadgate';
export const brokerLogo = read('logo');
