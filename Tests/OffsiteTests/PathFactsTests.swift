import ChangeStore
import LinuxKernel
import Testing

@testable import Offsite

/// What a path's rows come to.
@Suite struct PathFactsTests {
    private func facts(_ kinds: ChangeKind...) -> PathFacts? {
        var facts: PathFacts?
        for (index, kind) in kinds.enumerated() {
            let moment = Timestamp(nanoseconds: Int64(index + 1))
            if facts == nil { facts = PathFacts(kind, at: moment) } else { facts?.add(kind, at: moment) }
        }
        return facts
    }

    @Test func aNewFileIsANewNameUntilItIsWrittenAgain() {
        #expect(facts(.created)?.isNewName == true)
        #expect(facts(.moved, .metadata)?.isNewName == true)
        // An interrupted attempt may have carried what it was in between, with the same size and second.
        #expect(facts(.created, .modified)?.isNewName == false)
        #expect(facts(.created, .modified)?.contentChanged == true)
    }

    @Test func whatWasThereBeforeIsNeverANewName() {
        for kind in [ChangeKind.modified, .replaced, .metadata, .deleted] {
            #expect(facts(kind)?.existedBefore == true)
            #expect(facts(kind)?.isNewName == false)
        }
        #expect(facts(.metadata)?.contentChanged == false)
    }

    @Test func whatIsDeletedAndThereAgainMayLookLikeWhatItWas() {
        #expect(facts(.deleted, .created)?.contentChanged == true)
        #expect(facts(.created, .deleted, .created)?.contentChanged == true)
        #expect(facts(.created, .deleted)?.exists == false)
        #expect(facts(.deleted)?.givenPresence.contentChanged == true)
    }

    @Test func rowsThatTellOfNoChangeDoNotCount() {
        #expect(facts(.baseline) == nil)
        #expect(facts(.untracked) == nil)
        #expect(facts(.modified, .untracked)?.exists == true)
    }

    @Test func whatIsKeptComesBackWithoutLoss() {
        for kinds in [[ChangeKind.created], [.deleted], [.modified, .deleted, .created], [.moved, .metadata]] {
            var made = PathFacts(kinds[0], at: Timestamp(nanoseconds: 1_000_000_000))!
            for kind in kinds.dropFirst() { made.add(kind, at: Timestamp(nanoseconds: 3_500_000_000)) }
            let work = ConsumerWork(
                Array("/a".utf8), made, .waiting, due: Timestamp(nanoseconds: 9), reason: "being written")
            let back = PathFacts(work)
            #expect(back.flags == made.flags && back.first == made.first)
            #expect(!made.wasWritten || back.lastWritten >= made.lastWritten)
        }
    }

    @Test func laterRowsFollowWhatWasKept() {
        let deleted = facts(.deleted)!
        let created = facts(.created)!
        let both = created.following(deleted)
        #expect(both.existedBefore && both.contentChanged && both.exists)
        #expect(facts(.deleted)!.following(facts(.created)!).existedBefore == false)
    }
}
