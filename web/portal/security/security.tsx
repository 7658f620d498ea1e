// Who gets in under this login: open sign-ins and tokens, each with its end, and the password.
import type { ReactNode } from 'react';
import { PageTitle } from '../design/page-title.tsx';
import { Text, useText } from '../language/text.tsx';
import { ChangePassword } from './change-password.tsx';
import { SignIns } from './sign-ins.tsx';
import { Tokens } from './tokens.tsx';

export default function Security(): ReactNode {
  const text = useText();
  return (
    <>
      <PageTitle title={text('page.security')} lead={<Text id="security.lead" />} />
      <SignIns />
      <ChangePassword />
      <Tokens />
    </>
  );
}
