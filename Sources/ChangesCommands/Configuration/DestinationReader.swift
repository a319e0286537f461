import Offsite
import TOMLKit

// Placeholder until the full reader comes.
extension ConfigurationReader {
    static func destinations(_ array: TOMLArray) -> [DestinationSettings] {
        array.compactMap { element in
            guard let table = element.table, let name = table["name"]?.string, let source = table["source"]?.string,
                let target = table["target"]?.string.flatMap({ SyncTarget(parsing: $0) })
            else { return nil }
            var settings = DestinationSettings(name: name, source: Array(source.utf8), target: target)
            if let ssh = table["ssh"]?.table {
                if let port = ssh["port"]?.int { settings.ssh.port = UInt16(port) }
                settings.ssh.identity = ssh["identity"]?.string.map { Array($0.utf8) }
                settings.ssh.knownHosts = ssh["known_hosts"]?.string.map { Array($0.utf8) }
            }
            if let settle = table["settle"]?.string.flatMap(DurationText.parse) { settings.settle = settle }
            if let text = table["max_delete"]?.string, text.hasSuffix("%"), let percent = Double(text.dropLast()) {
                settings.maxDelete = .share(percent: percent)
            }
            if let text = table["ownership"]?.string, let ownership = Ownership(rawValue: text) {
                settings.ownership = ownership
            }
            return settings
        }
    }
}
