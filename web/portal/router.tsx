// Makes the router from the declared pages: each page and its texts are read when it is first opened.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Frame } from './frame/frame.tsx';
import { NotFound } from './frame/not-found.tsx';
import { PageFailure } from './frame/page-failure.tsx';
import { loadAreas } from './language/catalogues.ts';
import { pages } from './pages.ts';

export function createPortalRouter() {
  const root = createRootRoute({ component: Frame, notFoundComponent: NotFound, errorComponent: PageFailure });
  const routes = pages.map((page) =>
    createRoute({
      getParentRoute: () => root,
      path: page.path,
      loader: () => loadAreas(page.areas),
      component: lazyRouteComponent(() => page.load()),
      errorComponent: PageFailure,
      staticData: { page },
    }),
  );
  return createRouter({
    routeTree: root.addChildren(routes),
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultErrorComponent: PageFailure,
  });
}
