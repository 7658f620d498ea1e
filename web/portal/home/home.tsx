// The first page: what is new and what waits for the person.
import { Text } from '../language/text.tsx';

const Home = () => (
  <h1>
    <Text id="home.title" />
  </h1>
);

export default Home;
