// Links to pages that exist and that the person may open; nothing leads nowhere.
import { type AnyRoute, Link, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMe } from '../api/me.ts';
import { isOpenTo, type Page } from './page.ts';

/** The pages that the person may open. */
export function useOpenPages(): readonly Page[] {
  const me = useMe();
  const router = useRouter();
  // The router knows all of them; importing the list here would make a circle of imports.
  const routes = Object.values(router.routesById) as readonly AnyRoute[];
  return routes.flatMap((route) => {
    const { page } = route.options.staticData ?? {};
    return page !== undefined && isOpenTo(page, me) ? [page] : [];
  });
}

/** A link beside a heading, which is there only where its page is. */
export function PageAction({ path, children }: { readonly path: string; readonly children: ReactNode }): ReactNode {
  const isOpen = useOpenPages().some((page) => page.path === path);
  return isOpen ? <Link to={path}>{children}</Link> : null;
}

/** Shape: `path` as the page is declared, `params` for its parameters. Without the page, the text alone. */
export function PageLink({
  path,
  params,
  search,
  children,
  className,
}: {
  readonly path: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly search?: Readonly<Record<string, string>>;
  readonly children: ReactNode;
  readonly className?: string | undefined;
}): ReactNode {
  const isOpen = useOpenPages().some((page) => page.path === path);
  if (!isOpen) return children;
  return (
    <Link to={path} className={className} {...(params && { params })} {...(search && { search })}>
      {children}
    </Link>
  );
}
