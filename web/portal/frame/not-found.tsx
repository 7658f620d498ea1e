// The page for an address that has none.
import { Link } from '@tanstack/react-router';
import { Text } from '../language/text.tsx';

export const NotFound = () => (
  <>
    <h1>
      <Text id="frame.notFound.title" />
    </h1>
    <p>
      <Text id="frame.notFound.lead" />
    </p>
    <p>
      <Link to="/">
        <Text id="frame.notFound.home" />
      </Link>
    </p>
  </>
);
