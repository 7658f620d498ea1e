// Entry of the page that shows the design system: `?locale=ar&theme=dark` choose how.
import '../foundation.ts';
import { locales } from '@broadgate/languages';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { changeLanguage, loadAreas } from '../../language/catalogues.ts';
import { LanguageProvider } from '../../language/provider.tsx';
import { Showcase } from './showcase.tsx';

const asked = new URLSearchParams(location.search);
const theme = asked.get('theme');
if (theme !== null) document.documentElement.dataset.theme = theme;

await loadAreas(['design', 'refusal', 'frame']);
await changeLanguage(locales.find((locale) => locale === asked.get('locale')) ?? 'en');
createRoot(document.getElementById('design')!).render(
  <StrictMode>
    <LanguageProvider>
      <Showcase />
    </LanguageProvider>
  </StrictMode>,
);
