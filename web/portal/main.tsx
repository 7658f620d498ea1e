// Entry of the portal: joins language, data and router, and draws them into the document.
import './design/foundation.ts';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Problem } from './api/problem.ts';
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

await loadAreas(['frame', 'design', 'refusal']);
const router = createPortalRouter();
createRoot(document.getElementById('portal')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <LanguageProvider>
        <RouterProvider router={router} />
      </LanguageProvider>
    </QueryClientProvider>
  </StrictMode>,
);
