/// What people are told of a root on a file system that is not tracked (`FileSystemIdentity.isForeign`): inotify sees
/// only what this host does there, so a tracker would miss most changes and nobody would know.
public enum ForeignRoots {
    public static let description =
        "a network or user-space file system, where changes made by others are invisible to this host"
    public static let remedy = "run the tracker on the file server itself"
}
