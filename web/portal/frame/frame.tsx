// What stands around every page: the skip link, the main part, and the title of the browser's tab.
import { Outlet } from '@tanstack/react-router';
import { Text } from '../language/text.tsx';

export function Frame() {
  return (
    <>
      <a href="#content">
        <Text id="frame.skip" />
      </a>
      <main id="content" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}
