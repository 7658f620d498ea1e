// The notices that nobody has read yet, newest first.
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { NoticeList } from '../frame/notices.tsx';
import { useText } from '../language/text.tsx';

const shownMax = 5;

export function NewNotices(): ReactNode {
  const text = useText();
  const unread = useInfiniteQuery(api.list('/v1/notices', { query: { unread: 'true' } }));
  return (
    <Section title={text('home.notices.title')}>
      {unread.isError && <Refused problem={unread.error} onRetry={() => void unread.refetch()} />}
      {unread.isPending && <Loading />}
      {unread.data?.length === 0 && <Empty title={text('home.notices.empty')} />}
      {unread.data !== undefined && unread.data.length > 0 && <NoticeList notices={unread.data.slice(0, shownMax)} />}
    </Section>
  );
}
