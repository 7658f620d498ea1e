// Entry of the portal: finds out who is signed in, joins language, data and router, and draws them into the document.
import './design/foundation.ts';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { followEvents } from './api/events.ts';
import { meQuery } from './api/me.ts';
import { Problem } from './api/problem.ts';
import { applyPreferences } from './frame/preferences.ts';
import { Unavailable } from './frame/unavailable.tsx';
import { loadAreas } from './language/catalogues.ts';
import { LanguageProvider } from './language/provider.tsx';
import { createPortalRouter } from './router.tsx';

const retriesMax = 2;

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // A refusal stays one however often it is asked for; only what cannot be reached is tried again.
      retry: (failures, fault) => failures < retriesMax && fault instanceof Problem && fault.isPassing,
    },
  },
});
const root = createRoot(document.getElementById('portal')!);

// A page of an older build is gone from the server after an upgrade: the document is read again, once for each address.
addEventListener('vite:preloadError', (event) => {
  const mark = `read again ${location.pathname}`;
  if (sessionStorage.getItem(mark) !== null) return;
  sessionStorage.setItem(mark, '');
  event.preventDefault();
  location.reload();
});

async function start(): Promise<void> {
  const [me] = await Promise.all([queryClient.fetchQuery(meQuery), loadAreas(['frame', 'design', 'page'])]);
  // Names of desks stand in the navigation of those who have one.
  if (me.kind === 'operator') await loadAreas(['word']);
  await applyPreferences(me.preferences);
  const router = createPortalRouter();
  root.render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <LanguageProvider>
          <RouterProvider router={router} />
        </LanguageProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
  // The words for what is declined are many, and nobody needs them in the first moment.
  await loadAreas(['refusal']);
  followEvents(queryClient, async () => {
    await queryClient.refetchQueries({ queryKey: meQuery.queryKey });
  });
}

start().catch(async (fault: unknown) => {
  if (fault instanceof Problem && fault.code === 'not_signed_in') {
    const next = `${location.pathname}${location.search}`;
    location.replace(`/sign-in?${new URLSearchParams({ next }).toString()}`);
    return;
  }
  await loadAreas(['frame', 'design', 'page', 'refusal']);
  root.render(
    <LanguageProvider>
      <Unavailable problem={fault} />
    </LanguageProvider>,
  );
});
