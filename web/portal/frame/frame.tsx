// What stands around every page: the broker's name, the person's menus, the way to other pages, and what is true of all of them.
import { Link, Outlet, useRouter } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { Button as AriaButton, RouterProvider } from 'react-aria-components';
import { useMe } from '../api/me.ts';
import { readReachable, watchReachable } from '../api/reachable.ts';
import buttonStyles from '../design/button.module.css';
import { Icon } from '../design/icons.tsx';
import { Loading, Offline } from '../design/states.tsx';
import { Text } from '../language/text.tsx';
import { AccountSwitcher } from './account-switcher.tsx';
import { brokerLogo, brokerName } from './brand.ts';
import { Footer } from './footer.tsx';
import styles from './frame.module.css';
import { Navigation } from './navigation.tsx';
import { Notices } from './notices.tsx';
import { applyPreferences } from './preferences.ts';
import { useRouteFocus } from './route-focus.ts';
import { UserMenu } from './user-menu.tsx';

// Nobody needs these in the first moment, so they are read after the page is drawn.
const Toasts = lazy(async () => ({ default: (await import('../design/toasts.tsx')).Toasts }));
const SignInAgain = lazy(async () => ({ default: (await import('./sign-in-again.tsx')).SignInAgain }));

export function Frame(): ReactNode {
  const router = useRouter();
  const isReachable = useSyncExternalStore(watchReachable, readReachable);
  const [isMenuOpen, setIsMenuOpen] = useState(false);
  const { preferences } = useMe();
  useRouteFocus();
  // What the person chose on another device shows here too.
  useEffect(() => {
    void applyPreferences(preferences);
  }, [preferences]);
  return (
    <RouterProvider navigate={(to) => void router.navigate({ to })} useHref={(to) => to}>
      <div className={styles.frame}>
        <a className={styles.skip} href="#content">
          <Text id="frame.skip" />
        </a>
        {!isReachable && <Offline />}
        <header className={styles.header}>
          <Link to="/" className={styles.brand}>
            {brokerLogo === undefined ? brokerName : <img src={brokerLogo} alt={brokerName} />}
          </Link>
          <div className={styles.tools}>
            <AccountSwitcher />
            <Notices />
            <UserMenu />
          </div>
        </header>
        <div className={styles.body}>
          <div className={styles.aside}>
            <AriaButton
              className={`${buttonStyles.button} ${buttonStyles.quiet} ${styles.menuButton}`}
              aria-expanded={isMenuOpen}
              aria-controls="pages"
              onPress={() => setIsMenuOpen(!isMenuOpen)}
            >
              <span className={buttonStyles.content}>
                <Icon name={isMenuOpen ? 'close' : 'menu'} />
                <Text id="frame.navigation" />
              </span>
            </AriaButton>
            <div id="pages" className={isMenuOpen ? styles.open : styles.closed}>
              <Navigation onFollow={() => setIsMenuOpen(false)} />
            </div>
          </div>
          <main id="content" className={styles.main} tabIndex={-1}>
            <Suspense fallback={<Loading />}>
              <Outlet />
            </Suspense>
          </main>
        </div>
        <Footer />
      </div>
      <Suspense>
        <Toasts />
        <SignInAgain />
      </Suspense>
    </RouterProvider>
  );
}
