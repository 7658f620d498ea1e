// Tells the router's types what each route carries.
import type { Page } from './page.ts';

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    page?: Page;
  }
}
