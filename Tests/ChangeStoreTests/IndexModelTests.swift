import LinuxKernel
import Testing

@testable import ChangeStore

/// The index against dictionaries: a few directories, names and inodes, so that everything collides.
@Suite struct IndexModelTests {
    private struct Model {
        var entries: [EntryName: InodeKey] = [:]
        var attributes: [InodeKey: EntryAttributes] = [:]

        func names(of key: InodeKey) -> Set<EntryName> { Set(entries.filter { $0.value == key }.keys) }
    }

    @Test func theIndexAgreesWithDictionaries() throws {
        let state = StateDirectory()
        var generator = SeededGenerator(seed: freshSeed())
        var store = try state.open()
        var model = Model()
        var committed = model
        try store.begin()
        for step in 0..<20_000 {
            let place = EntryName(
                directory: DirectoryID(rawValue: .random(in: 1...4, using: &generator)),
                name: [UInt8.random(in: 0...9, using: &generator)])
            let key = InodeKey(.random(in: 1...12, using: &generator), on: .random(in: 1...2, using: &generator))
            switch Int.random(in: 0..<100, using: &generator) {
            case 0..<40 where model.entries[place] == nil:
                let attributes = EntryAttributes.random(using: &generator)
                let isFirst = try store.add(place.name, in: place.directory, key, attributes)
                #expect(isFirst == (model.attributes[key] == nil))
                model.entries[place] = key
                if isFirst { model.attributes[key] = attributes }
            case 0..<75:
                guard let old = model.entries.removeValue(forKey: place) else { continue }
                let heir = try store.remove(place.name, in: place.directory, old)
                let rest = model.names(of: old)
                if let heir { #expect(rest.contains(heir)) } else { #expect(rest.isEmpty) }
                if rest.isEmpty { model.attributes[old] = nil }
            case 75..<90:
                guard model.attributes[key] != nil else { continue }
                let attributes = EntryAttributes.random(using: &generator)
                try store.setAttributes(attributes, of: key)
                model.attributes[key] = attributes
            case 90..<96:
                let names = try store.names(of: key)
                #expect(Set(names) == model.names(of: key) && names.count == Set(names).count)
            case 96..<98:
                try store.commitTransaction()
                committed = model
                try store.begin()
            case 98:
                store.rollback()
                model = committed
                try store.begin()
            default:
                guard step % 7 == 0 else { continue }
                try store.close()
                committed = model
                store = try state.open()
                try store.begin()
            }
            if step % 500 == 0 { try compare(store, model) }
        }
        try compare(store, model)
    }

    private func compare(_ store: Store, _ model: Model) throws {
        var seen: [EntryName: InodeKey] = [:]
        for directory in (1...4).map({ DirectoryID(rawValue: $0) }) {
            for (name, entry) in try store.listing(of: directory) {
                seen[EntryName(directory: directory, name: name)] = entry.key
                #expect(entry.attributes == model.attributes[entry.key])
            }
        }
        #expect(seen == model.entries)
        #expect(try store.database.integer("SELECT count(*) FROM inodes") == Int64(model.attributes.count))
        #expect(
            try store.database.integer("SELECT count(*) FROM links")
                == Int64(model.entries.count - model.attributes.count))
        for (place, key) in model.entries {
            #expect(
                try store.entry(place.name, in: place.directory)
                    == IndexedEntry(key: key, attributes: model.attributes[key] ?? .file()))
        }
    }
}
