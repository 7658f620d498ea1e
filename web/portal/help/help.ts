// The looks of the server's help documents, which need no script.
import './help.css';
